"""Which sides a replay has, and with what they are started. Starts nothing itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fimble import options
from fimble.app import model_manifest
from fimble.bench.replay.child_side import ChildSide
from fimble.bench.replay.fimble_side import FimbleSide
from fimble.bench.replay.side import Side
from fimble.engine.scripted import ByteTokenizer
from fimble.engine.tokenizer import ModelTokenizer
from fimble.errors import UsageError
from fimble.models.record import sha256_of
from fimble.models.store import ModelStore
from fimble.settings import Settings

SIDES = ("fimble", "naive", "llama-cpp")
NAIVE_OFF = ("n_threads", "model", "engine", "device", "compute_type")
"""What the naive side takes of the options: the same model on the same threads, no trick."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to replay. `options` are fimble's, for the side fimble; `gguf` is llama.cpp's model file."""

    sides: tuple[str, ...]
    options: Mapping[str, Any]
    gguf: Path | None = None
    seed: int = 7


def make_sides(plan: Plan) -> list[Side]:
    """Give the sides in order. Errors: SettingsError for an unknown or invalid option; ModelError."""
    raw = {"log_level": "error", **plan.options}
    settings = options.resolve_strict(raw, source="the command line")
    made: list[Side] = []
    for name in plan.sides:
        if name == "fimble":
            made.append(FimbleSide(raw))
        elif name == "naive":
            shared = {key: raw[key] for key in NAIVE_OFF if key in raw}
            made.append(ChildSide(name, ["fimble.bench.replay.naive_child", json.dumps(shared)]))
        else:
            told = {"gguf": str(find_gguf(settings, plan.gguf)), "n_threads": settings.n_threads, "seed": plan.seed}
            made.append(ChildSide(name, ["fimble.bench.replay.llama_child", json.dumps(told)]))
    if settings.engine != "scripted":
        ModelStore().path(settings.model)  # a missing model is named before anything is started
    return made


def find_gguf(settings: Settings, given: Path | None) -> Path:
    """Give the publisher's file that the model was converted from: the one given, or one that `models pull` kept.

    Errors: UsageError if it is not there or not that file; UnknownModelError.
    """
    manifest = model_manifest(settings, ModelStore())
    path = given or ModelStore().download_dir / f"{manifest.sha256}.{manifest.format}"
    hint = f"run `fimble models pull {manifest.model_id} --force --keep-download`, or give the file with `--gguf`"
    if not path.is_file():
        raise UsageError(
            f"the side llama-cpp needs the GGUF file of `{manifest.model_id}`; `{path}` is not there", hint
        )
    if sha256_of(path) != manifest.sha256:
        raise UsageError(f"`{path}` is not the file that `{manifest.model_id}` was converted from", hint)
    return path.resolve()


def token_counter(plan: Plan) -> Callable[[str], int]:
    """Give how many tokens of the model a text has. Errors: ModelError if the model is not installed."""
    settings = options.resolve_strict(dict(plan.options), source="the command line")
    if settings.engine == "scripted":
        return lambda text: len(ByteTokenizer().encode(text))
    tokenizer = ModelTokenizer(ModelStore().path(settings.model) / "tokenizer.json")
    return lambda text: len(tokenizer.encode(text))
