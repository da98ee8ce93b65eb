"""Turn a local Hugging Face checkpoint into a CTranslate2 folder. The only place of torch and transformers, and
only inside functions: the serving install has neither. Nothing is unpickled and no code of a checkpoint is run.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from fimble.errors import ConversionError, ModelFilesError, UnsupportedFamilyError
from fimble.manifest import FAMILIES
from fimble.models.convert_tokenizer import adapt, start_token

EXTRA_HINT = "install them with `pip install 'fimble[convert]'`"
WEIGHTS_PATTERN = "*.safetensors"


def read_config(checkpoint: Path) -> dict[str, Any]:
    """Give a checkpoint's `config.json` if its family is one that can be converted.

    Errors: ModelFilesError if it is no checkpoint or has no safetensors; UnsupportedFamilyError with the known ones.
    """
    path = checkpoint / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        family = config["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFilesError(
            f"`{checkpoint}` is not a Hugging Face checkpoint: {error}", "it must hold `config.json` with `model_type`"
        ) from error
    if family not in FAMILIES:
        raise UnsupportedFamilyError(f"the family `{family}` cannot be converted", "known: " + ", ".join(FAMILIES))
    if not list(checkpoint.glob(WEIGHTS_PATTERN)):
        raise ModelFilesError(
            f"`{checkpoint}` has no safetensors weights",
            "pickled weights (`.bin`, `.pt`) can run code and are not read; take a checkpoint with `.safetensors`",
        )
    return dict(config)


def convert(checkpoint: Path, folder: Path, quantization: str) -> str:
    """Write `model.bin`, `config.json`, `vocabulary.json` and `tokenizer.json` into `folder`; gives the start token.

    Errors: ConversionError if torch or transformers is missing or the checkpoint does not fit; others as `read_config`.
    """
    _refuse_variants(read_config(checkpoint), checkpoint)
    # Whatever transformers thinks it could look up: the network is not for this step.
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        from fimble.models import convert_hf_loader
    except ImportError as error:
        raise ConversionError(f"converting a checkpoint needs torch and transformers: {error}", EXTRA_HINT) from error
    try:
        tokenizer = convert_hf_loader.convert(checkpoint, folder, quantization)
    except (ValueError, RuntimeError, KeyError, AttributeError, NotImplementedError, OSError) as error:
        raise ConversionError(f"`{checkpoint}` cannot be converted: {error}") from error
    (folder / "tokenizer.json").write_text(adapt(tokenizer), encoding="utf-8")
    return start_token(tokenizer)


def _refuse_variants(config: dict[str, Any], checkpoint: Path) -> None:
    """Refuse what CTranslate2's loaders would silently convert into another model."""
    family = config["model_type"]
    wrong = ""
    if family == "gpt_bigcode" and not config.get("multi_query", True):
        wrong = "multi-head attention in GPT-BigCode"
    if family == "gpt2" and (
        config.get("scale_attn_by_inverse_layer_idx") or not config.get("scale_attn_weights", True)
    ):
        wrong = "scaled attention in GPT-2"
    if family in ("llama", "qwen2") and config.get("hidden_act", "silu") not in ("silu", "swish"):
        wrong = f"the activation `{config['hidden_act']}`"
    heads, width = config.get("num_attention_heads"), config.get("hidden_size")
    if heads and width and config.get("head_dim") not in (None, width // heads):
        wrong = "a head width of its own"
    rope = config.get("rope_scaling") or config.get("rope_parameters") or {}
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if kind not in ("default", "linear", "llama3"):
        wrong = f"rotary scaling `{kind}`"
    if config.get("quantization_config"):
        wrong = "weights that are already quantized"
    if wrong:
        raise UnsupportedFamilyError(f"`{checkpoint}` has {wrong}, which is not known")
