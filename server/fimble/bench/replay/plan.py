"""Which sides a replay has, and with what they are started. Starts nothing itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fimble import options
from fimble.bench.replay.child_side import ChildSide
from fimble.bench.replay.fimble_side import FimbleSide
from fimble.bench.replay.side import Side
from fimble.engine.scripted import ByteTokenizer
from fimble.engine.tokenizer import ModelTokenizer
from fimble.models.store import ModelStore

SIDES = ("fimble", "naive", "llama-cpp")
NAIVE_OFF = ("n_threads", "model", "engine", "device", "compute_type")
"""What the naive side takes of the options: the same model on the same threads, no trick."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to replay. `options` are fimble's, for the side fimble; `gguf` is llama.cpp's model file."""

    sides: tuple[str, ...]
    options: Mapping[str, Any]
    gguf: Path | None = None


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
            raise NotImplementedError(name)
    if settings.engine != "scripted":
        ModelStore().path(settings.model)  # a missing model is named before anything is started
    return made


def token_counter(plan: Plan) -> Callable[[str], int]:
    """Give how many tokens of the model a text has. Errors: ModelError if the model is not installed."""
    settings = options.resolve_strict(dict(plan.options), source="the command line")
    if settings.engine == "scripted":
        return lambda text: len(ByteTokenizer().encode(text))
    tokenizer = ModelTokenizer(ModelStore().path(settings.model) / "tokenizer.json")
    return lambda text: len(tokenizer.encode(text))
