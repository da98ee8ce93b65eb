"""Ties what is installed to what was measured: a model's subject in the file, a worker that is calibrated, `auto`.

No measuring, no deriving: those are `engine.calibrator` and `completion.limits`.
"""

from __future__ import annotations

import contextlib
import dataclasses

import psutil

from fimble.engine import device as devices
from fimble.engine.calibration_file import CalibrationFile, Subject, subject_here
from fimble.engine.calibrator import Calibrator
from fimble.engine.choice import Candidate, Choice, choose
from fimble.errors import EngineError
from fimble.models.record import InstalledModel
from fimble.models.store import ModelStore
from fimble.settings import AUTO_MODEL, DEFAULT_MODEL, Settings

WEIGHTS_NAME = "model.bin"


def subject_of(settings: Settings, store: ModelStore) -> Subject:
    """Give what is measured with these settings. Errors: ModelError if the model is not installed."""
    if settings.engine == "scripted":
        return subject_here("scripted", "", "", "", settings.compute_type, settings.n_threads)
    return _subject(settings, store.get(settings.model))


def calibrator(settings: Settings, store: ModelStore, file: CalibrationFile | None) -> Calibrator | None:
    """Give what finds a worker's figures, or measures them in idle time, if that is wanted.

    A remote server's speed is not this machine's, nor is a script's unless somebody asks for it.
    """
    is_asked_for = settings.engine == "ctranslate2" or "calibrate" in settings.explicit
    if file is None or not settings.calibrate or settings.is_remote or not is_asked_for:
        return None
    n_tokens_max = settings.prefix_tokens_max + settings.suffix_tokens_max
    return Calibrator(file, lambda: subject_of(settings, store), n_tokens_max)


def chosen(settings: Settings, store: ModelStore, file: CalibrationFile | None) -> tuple[Settings, Choice | None]:
    """Give the settings with a model's id where they say `auto`, and why it is that model."""
    if settings.model != AUTO_MODEL or settings.engine == "scripted":
        return settings, None
    if settings.is_remote:
        return dataclasses.replace(settings, model=DEFAULT_MODEL), Choice(DEFAULT_MODEL, "another machine runs it")
    models = [model for model in store.installed() if model.manifest.fim.middle] or store.installed()
    candidates = [
        Candidate(
            model.model_id,
            next(stored.n_bytes for stored in model.files if stored.name == WEIGHTS_NAME),
            file.find(_subject(settings, model)) if file is not None else None,
        )
        for model in models
    ]
    # The daemon, too, gives all models together no more than half of the machine's memory.
    choice = choose(candidates, settings.target_ms, DEFAULT_MODEL, psutil.virtual_memory().total // 2)
    return dataclasses.replace(settings, model=choice.model_id), choice


def _subject(settings: Settings, model: InstalledModel) -> Subject:
    weights = next(stored.sha256 for stored in model.files if stored.name == WEIGHTS_NAME)
    # A GPU's figures are that GPU's. Where `cuda` cannot be had the load says so; nothing is measured then.
    device = settings.device
    with contextlib.suppress(EngineError):
        device = str(devices.choose(settings.device))
    return subject_here(model.model_id, weights, model.quantization, device, settings.compute_type, settings.n_threads)
