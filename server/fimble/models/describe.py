"""Derive a manifest for a model that nobody has described: what its vocabulary and its own files say. No weights."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Container, Sequence
from typing import Any

from fimble.manifest import ChatTemplate, FimTokens, ModelManifest

# Sentinels of a family and the order in which its publisher lays out prompts.
# Sources: Qwen2.5-Coder report, arXiv:2409.12186, section 3; StarCoder, arXiv:2305.06161, section 3; Code Llama,
# arXiv:2308.12950, section 2.3; DeepSeek-Coder, arXiv:2401.14196, section 3.1; SantaCoder, arXiv:2301.03988.
_SENTINELS = (
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
    ("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),
    ("▁<PRE>", "▁<SUF>", "▁<MID>"),
    ("<PRE>", "<SUF>", "<MID>"),
    ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
)
_END_TOKENS = (
    "<|endoftext|>",
    "</s>",
    "<|end_of_text|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|EOT|>",
    "▁<EOT>",
    "<EOT>",
    "<|fim_pad|>",
    "<fim_pad>",
    "<fim-pad>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<file_sep>",
    "<repo_name>",
    "<|cursor|>",
)
_CHATML = ChatTemplate(
    system="<|im_start|>system\n{text}<|im_end|>\n",
    user="<|im_start|>user\n{text}<|im_end|>\n",
    assistant="<|im_start|>assistant\n",
)


def detect_fim(tokens: Container[str], family: str, start: str = "") -> FimTokens:
    """Give the sentinels that the vocabulary has; layout `none` without a whole set.

    `start` is the token that the model expects before every text, if any.
    """
    for prefix, suffix, middle in _SENTINELS:
        if all(token in tokens for token in (prefix, suffix, middle)):
            # Qwen2 models answer at least as well with the suffix first, and only then can the prompt's head be kept.
            return FimTokens("spm2" if family == "qwen2" else "psm", prefix, suffix, middle, start)
    return FimTokens(start=start)


def detect_chat(tokens: Container[str], template: str) -> ChatTemplate | None:
    """Give the ChatML template if the model's own template and vocabulary are ChatML's, else None."""
    known = all(token in tokens for token in ("<|im_start|>", "<|im_end|>"))
    return _CHATML if known and "<|im_start|>" in template else None


def detect_end_tokens(tokens: Container[str], declared: Sequence[str]) -> tuple[str, ...]:
    """Give the tokens after which nothing belongs to an answer: the declared ones, then the known ones present."""
    found = [token for token in (*declared, *_END_TOKENS) if token and token in tokens]
    return tuple(dict.fromkeys(found))


def render_manifest(manifest: ModelManifest) -> str:
    """Give the TOML text that `manifest.parse` reads back as the same value (sources aside: it has none)."""
    lines = [
        "# Derived by fimble from the model's own files.",
        f"id = {_string(manifest.model_id)}",
        f"title = {_string(manifest.title)}",
        f"publisher = {_string(manifest.publisher)}",
        f"licence = {_string(manifest.licence)}",
        f"family = {_string(manifest.family)}",
        f"format = {_string(manifest.format)}",
        f"n_file_bytes = {manifest.n_file_bytes}",
        f"sha256 = {_string(manifest.sha256)}",
        f"context_tokens = {manifest.context_tokens}",
        f"default_quantization = {_string(manifest.default_quantization)}",
        f"n_state_bytes_per_token = {manifest.n_state_bytes_per_token}",
        f"end_tokens = [{', '.join(_string(t) for t in manifest.end_tokens)}]",
        "",
        "[fim]",
        *_table(manifest.fim),
    ]
    if manifest.chat:
        lines += ["", "[chat]", *_table(manifest.chat)]
    return "\n".join(lines) + "\n"


def _table(record: Any) -> list[str]:
    return [f"{f.name} = {_string(getattr(record, f.name))}" for f in dataclasses.fields(record)]


def _string(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
