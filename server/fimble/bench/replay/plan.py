"""Which sides a replay has, and with what they are started. Starts nothing itself."""

from __future__ import annotations

import importlib.metadata
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fimble import calibration, options
from fimble.app import model_manifest
from fimble.bench.replay.child_side import ChildSide
from fimble.bench.replay.fimble_side import FimbleSide
from fimble.bench.replay.side import Side
from fimble.engine.calibration_file import CalibrationFile
from fimble.engine.calibrator import is_doubtful
from fimble.engine.scripted import ByteTokenizer
from fimble.engine.tokenizer import ModelTokenizer
from fimble.errors import UsageError
from fimble.models.record import sha256_of
from fimble.models.store import ModelStore
from fimble.settings import Settings

SIDES = ("fimble", "naive", "llama-cpp")
SHARED_KEYS = ("n_threads", "model", "engine", "device", "compute_type")
"""What the naive side takes of the options: the same model on the same threads, no trick."""

WITHOUT_SETTINGS = {"XDG_CONFIG_HOME": str(Path(tempfile.gettempdir()) / "fimble-bench-without-settings")}
"""A measurement says what it ran with: the user's settings file is left out (where the system knows this variable)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to replay. `options` are fimble's, for the side fimble; `gguf` is llama.cpp's model file.

    Each of `variants` is one more side fimble under its own name, with options that differ.
    """

    sides: tuple[str, ...]
    options: Mapping[str, Any]
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    gguf: Path | None = None
    seed: int = 7


def make_sides(plan: Plan) -> list[Side]:
    """Give the sides in order. Errors: SettingsError for an unknown or invalid option; ModelError.

    A model that was not measured before is not measured in the midst of a replay: then the settings are the limits.
    """
    settings = options.resolve_strict(plan.options, source="the command line")
    raw = {"log_level": "error", "calibrate": is_calibrated(plan), **plan.options}
    made: list[Side] = []
    for name in plan.sides:
        if name == "fimble":
            made.append(FimbleSide(raw, WITHOUT_SETTINGS))
        elif name == "naive":
            shared = {key: raw[key] for key in SHARED_KEYS if key in raw}
            made.append(ChildSide(name, ["fimble.bench.replay.naive_child", json.dumps(shared)]))
        else:
            told = {"gguf": str(find_gguf(settings, plan.gguf)), "n_threads": settings.n_threads, "seed": plan.seed}
            made.append(ChildSide(name, ["fimble.bench.replay.llama_child", json.dumps(told)]))
    for name, changed in plan.variants.items():
        options.resolve_strict(raw | dict(changed), source=f"the variant `{name}`")
        made.append(FimbleSide(raw | dict(changed), WITHOUT_SETTINGS, name=name))
    if settings.engine != "scripted":
        ModelStore().path(settings.model)  # a missing model is named before anything is started
    return made


def is_calibrated(plan: Plan) -> bool:
    """Say whether the model was measured on this machine, and need not be again.

    Errors: SettingsError; ModelError if it is not installed.
    """
    settings = options.resolve_strict(plan.options, source="the command line")
    if settings.engine != "ctranslate2" or not settings.calibrate:
        return False
    return not is_doubtful(CalibrationFile().find(calibration.subject_of(settings, ModelStore())))


def read_variant(text: str) -> tuple[str, dict[str, Any]]:
    """Read `NAME:KEY=VALUE,KEY=VALUE`. Errors: UsageError; SettingsError for an assignment that is none."""
    name, colon, assignments = text.partition(":")
    if not colon or not name.strip() or name.strip() in SIDES:
        raise UsageError(f"`{text}` is no variant", "for example `--variant slow:delay_ms=200`")
    return name.strip(), dict(options.parse_assignment(part) for part in assignments.split(","))


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


def llama_version() -> str:
    """Give the version of the Python package. Errors: UsageError if it is not installed."""
    try:
        return importlib.metadata.version("llama-cpp-python")
    except importlib.metadata.PackageNotFoundError as error:
        raise UsageError(
            "the side llama-cpp needs the package `llama-cpp-python`", "install `fimble[bench]`"
        ) from error


def token_counter(plan: Plan) -> Callable[[str], int]:
    """Give how many tokens of the model a text has. Errors: ModelError if the model is not installed."""
    settings = options.resolve_strict(dict(plan.options), source="the command line")
    if settings.engine == "scripted":
        return lambda text: len(ByteTokenizer().encode(text))
    tokenizer = ModelTokenizer(ModelStore().path(settings.model) / "tokenizer.json")
    return lambda text: len(tokenizer.encode(text))
