"""Manifests derived from a vocabulary, and their text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fimble.manifest import ChatTemplate, FimTokens, ModelManifest, parse
from fimble.models import describe

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(title=TEXT, end=st.lists(TEXT, max_size=3), chat=st.none() | st.builds(ChatTemplate, TEXT, TEXT, TEXT, TEXT))
def test_text_reads_back_as_the_same_manifest(title: str, end: list[str], chat: ChatTemplate | None) -> None:
    fim = FimTokens("psm", title, "<s>", "\x7f\n")
    manifest = ModelManifest("x", title, "p", "l", "gpt2", "gguf", 3, "ab", (), fim, chat, tuple(end), 512, "float16")
    assert parse(describe.render_manifest(manifest), "test") == manifest


@pytest.mark.parametrize(
    ("tokens", "family", "layout"),
    [
        ({"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"}, "qwen2", "spm2"),
        ({"<fim_prefix>", "<fim_suffix>", "<fim_middle>"}, "starcoder2", "psm"),
        ({"▁<PRE>", "▁<SUF>", "▁<MID>"}, "llama", "psm"),
        ({"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"}, "llama", "psm"),
        ({"<fim_prefix>", "<fim_suffix>"}, "starcoder2", "none"),
        (set(), "gpt2", "none"),
    ],
)
def test_sentinels(tokens: set[str], family: str, layout: str) -> None:
    fim = describe.detect_fim(tokens, family)
    assert fim.layout == layout
    assert {fim.prefix, fim.suffix, fim.middle} == (tokens if layout != "none" else {""})


def test_chat_needs_vocabulary_and_template() -> None:
    tokens = {"<|im_start|>", "<|im_end|>"}
    assert describe.detect_chat(tokens, "{{ '<|im_start|>' }}") is not None
    assert describe.detect_chat(tokens, "[INST]") is None
    assert describe.detect_chat(set(), "<|im_start|>") is None


def test_end_tokens_begin_with_the_declared_one() -> None:
    assert describe.detect_end_tokens({"<eos>", "</s>", "<|im_end|>"}, ["<eos>", "", "<gone>"]) == (
        "<eos>",
        "</s>",
        "<|im_end|>",
    )
