"""The composition root: the only place where parts meet their implementations. No logic of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from fimble import calibration
from fimble import manifest as manifests
from fimble.completion.service import CompletionService
from fimble.engine.calibration_file import CalibrationFile
from fimble.engine.contract import Backend, OwnedEngine
from fimble.engine.heads import MIB, HeadBook
from fimble.engine.scripted import SPECIAL_NAMES, ScriptedBackend
from fimble.engine.worker import EngineWorker
from fimble.errors import FimbleError
from fimble.ignore import IgnoreRules
from fimble.manifest import ChatTemplate, FimTokens, ModelManifest
from fimble.metrics import Metrics
from fimble.models.store import ModelStore
from fimble.settings import AUTO_MODEL, Settings
from fimble.statistics.recorder import Recorder, SessionTally
from fimble.statistics.tally import NoTally, Tally

if TYPE_CHECKING:
    from fimble.actions.service import ActionService

ENGINE_KEYS = (
    "engine",
    "model",
    "device",
    "compute_type",
    "n_threads",
    "remote_url",
    "remote_model",
    "remote_timeout_ms",
)

SCRIPTED_MANIFEST = ModelManifest(
    model_id="scripted",
    title="Answers from a script",
    publisher="",
    licence="",
    family="qwen2",
    format="",
    n_file_bytes=0,
    sha256="",
    sources=(),
    fim=FimTokens("spm2", *SPECIAL_NAMES[:3]),
    chat=ChatTemplate("{text}\n", "{text}\n", ""),
    end_tokens=("<|endoftext|>",),
    context_tokens=8192,
)


class Application:
    """One engine and the services on it, for one editor session or one command."""

    def __init__(
        self,
        settings: Settings,
        store: ModelStore | None = None,
        make_backend: Callable[[], Backend] | None = None,
        make_engine: Callable[[Settings], OwnedEngine] | None = None,
        recorder: Recorder | None = None,
        calibration_file: CalibrationFile | None = None,
    ) -> None:
        """Nothing is loaded before `start`.

        `make_backend` replaces the model, for tests; `make_engine` its owner, where sessions share one. `recorder`
        keeps the counts of an editor's session; without one nothing is counted. `calibration_file` is where a model's
        figures are found and kept; without it nothing is measured.
        """
        self._store = store or ModelStore()
        self._calibration_file = calibration_file
        self._wants_auto = settings.model == AUTO_MODEL
        self.settings, _ = calibration.chosen(settings, self._store, calibration_file)
        self.metrics = Metrics()
        self.tally: Tally = SessionTally(recorder, lambda: self.settings) if recorder else NoTally()
        self._make_backend = make_backend
        self._make_engine = make_engine
        self._ignored = IgnoreRules()
        self.manifest = self._read_manifest()
        self.engine = self._new_engine()
        self.completion = CompletionService(
            self.engine, self.manifest, self.settings, self.metrics, ignored=self._ignored, tally=self.tally
        )

    @property
    def actions(self) -> ActionService:
        """The service of code actions; loads the grammars when first used."""
        from fimble.actions.service import ActionService

        return ActionService(self.engine, self.manifest, self.settings, self.metrics, self._ignored)

    def start(self) -> None:
        """Begin to load the model in the background."""
        self.engine.start()

    def apply(self, settings: Settings) -> bool:
        """Take new settings; gives whether the engine had to be made anew (call `start` then)."""
        settings = self._with_model(settings)
        renewed = any(getattr(settings, key) != getattr(self.settings, key) for key in ENGINE_KEYS)
        self.settings = settings
        if renewed:
            self.engine.close(timeout_s=0)
            self.manifest = self._read_manifest()
            self.engine = self._new_engine()
            self.completion.engine, self.completion.manifest = self.engine, self.manifest
        self.completion.settings = settings
        return renewed

    def _with_model(self, settings: Settings) -> Settings:
        """Give the settings with a model's id; `auto` stays what it was, so that no session changes models midway."""
        wanted_auto, self._wants_auto = self._wants_auto, settings.model == AUTO_MODEL
        if wanted_auto and self._wants_auto and settings.target_ms == self.settings.target_ms:
            return dataclasses.replace(settings, model=self.settings.model)
        return calibration.chosen(settings, self._store, self._calibration_file)[0]

    def close(self) -> None:
        """Stop the engine within one decoded token."""
        self.engine.close()

    def _read_manifest(self) -> ModelManifest:
        """Give the model's manifest; for a model nobody knows a stand-in: the engine's load says what is wrong."""
        if self.settings.engine == "scripted" or self._make_backend is not None:
            return SCRIPTED_MANIFEST
        try:
            return model_manifest(self.settings, self._store)
        except FimbleError:
            return SCRIPTED_MANIFEST

    def _new_engine(self) -> OwnedEngine:
        if self._make_engine is not None:
            return self._make_engine(self.settings)
        return make_worker(self.settings, self._store, self._calibration_file, self._make_backend)


def make_worker(
    settings: Settings,
    store: ModelStore,
    calibration_file: CalibrationFile | None = None,
    make: Callable[[], Backend] | None = None,
) -> EngineWorker:
    """Make the owner of the model that the settings ask for, or of another backend; nothing is loaded yet."""
    calibrator = calibration.calibrator(settings, store, calibration_file)

    def make_known() -> Backend:
        backend = make() if make is not None else make_backend(settings, store)
        if calibrator is not None:
            calibrator.find(worker)
        return backend

    worker = EngineWorker(make_known, settings.idle_unload_s)
    if calibrator is not None:
        calibrator.watch(worker)
    return worker


def model_manifest(settings: Settings, store: ModelStore) -> ModelManifest:
    """Give the model's manifest, from the catalogue while it is not installed. Errors: ModelError.

    A remote server's model need not be here, and one that is pulled later is then asked in its own layout.
    """
    if not store.has(settings.model):
        return manifests.load(settings.model)
    installed = store.manifest(settings.model)
    if installed.model_id not in manifests.known_ids():
        return installed
    # The copy that was installed may be older than what is known of the model now.
    shipped = manifests.load(installed.model_id)
    return dataclasses.replace(installed, n_state_bytes_per_token=shipped.n_state_bytes_per_token)


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Application]:
    """Give an application whose model is loaded, and close it behind. Errors: what made the load fail."""
    app = Application(settings)
    app.start()
    try:
        await app.engine.wait_ready()
        yield app
    finally:
        app.close()


def make_backend(settings: Settings, store: ModelStore) -> Backend:
    """Make the backend the settings ask for; runs on the engine's thread. Errors: ModelError, SettingsError."""
    if settings.engine == "scripted":
        return ScriptedBackend.from_file(os.environ.get("FIMBLE_SCRIPT", ""))
    if settings.is_remote:
        from fimble.engine.remote import RemoteBackend

        manifest = model_manifest(settings, store)
        return RemoteBackend(manifest, settings.remote_url, settings.remote_model, settings.remote_timeout_ms)
    from fimble.engine.ct2_backend import CTranslate2Backend

    manifest = model_manifest(settings, store)
    return CTranslate2Backend(
        store.path(settings.model),
        manifest,
        device=settings.device,
        compute_type=settings.compute_type,
        n_threads=settings.n_threads,
        heads=HeadBook(settings.head_mib_max * MIB, manifest.n_state_bytes_per_token)
        if settings.head_mib_max
        else None,
    )
