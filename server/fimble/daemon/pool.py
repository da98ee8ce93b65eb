"""The models in memory and who uses them: one copy of each, least recently used out. Knows no editor's protocol."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fimble.daemon.scheduler import Scheduler
from fimble.engine.contract import EngineState, GenerationRequest, Tokenizer
from fimble.engine.figures import Figures
from fimble.engine.usage import Usage
from fimble.engine.worker import EngineWorker
from fimble.errors import EngineError, FimbleError
from fimble.log import LOGGER
from fimble.records import Generation, StopReason
from fimble.settings import Settings

Key = tuple[object, ...]
UNUSED_KEPT_S = 60.0
"""A model nobody uses stays so long: editors are closed and opened again."""


@dataclass(eq=False)
class SharedModel:
    """One model, whether or not its weights are in memory now.

    `n_bytes` is what its weights take on disk, which is what they take in memory (they are loaded as stored).
    """

    key: Key
    name: str
    make_worker: Callable[[], EngineWorker]
    n_bytes: int
    worker: EngineWorker | None = None
    tokenizer: Tokenizer | None = None
    users: set[SessionEngine] = field(default_factory=set)
    used_at_s: float = field(default_factory=time.monotonic)
    n_evictions: int = 0
    figures: Figures | None = None

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(self._run)
        self._loop = asyncio.get_running_loop()
        self.on_load: Callable[[SharedModel], None] = lambda _model: None

    @property
    def state(self) -> EngineState:
        """Where the model is; one put out of memory is `READY`, since a request brings it back."""
        if self.worker is None:
            return EngineState.READY if self.tokenizer is not None else EngineState.UNLOADED
        return self.worker.state

    @property
    def known_tokenizer(self) -> Tokenizer | None:
        if self.worker is not None and self.worker.state is EngineState.READY:
            self.tokenizer = self.worker.tokenizer
        return self.tokenizer

    @property
    def known_figures(self) -> Figures | None:
        if self.worker is not None and self.worker.figures is not None:
            self.figures = self.worker.figures
        return self.figures

    def load(self) -> None:
        """Begin to load the weights unless they are there or on their way; after a failure, try again.

        A worker whose model is missing waits for its installation by itself.
        """
        if self.worker is not None:
            if self.worker.state is not EngineState.FAILED:
                return
            self.worker.close(timeout_s=0)
        self.on_load(self)
        self.worker = self.make_worker()
        self.worker.on_state_change(self._changed)
        self.worker.start()

    def evict(self) -> None:
        """Put the weights out of memory; nothing may be running."""
        self.tokenizer = self.known_tokenizer  # prompts for it are still laid out
        worker, self.worker = self.worker, None
        if worker is not None:
            self.n_evictions += 1
            worker.close(timeout_s=0)

    def _changed(self) -> None:
        """Pass a change of state on; called from the engine's thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        for user in list(self.users):
            user.tell()

    async def _run(self, request: GenerationRequest) -> list[Generation]:
        self.used_at_s = time.monotonic()
        if self.worker is None:
            self.load()
        assert self.worker is not None
        if self.worker.state is EngineState.LOADING:
            await self.worker.wait_ready()
        if request.deadline_at_s is not None and time.monotonic() >= request.deadline_at_s:
            return [Generation("", 0, StopReason.DEADLINE)]
        return await self.worker.generate(request)


class SessionEngine:
    """One session's view of a shared model; it looks like a worker of its own.

    `close` and `state` may be used from any thread, the rest belongs to the event loop.
    """

    def __init__(self, pool: EnginePool, model: SharedModel, session: int) -> None:
        self._pool = pool
        self._model = model
        self._session = session
        self._listeners: list[Callable[[], None]] = []
        self._is_closed = False
        self._loop = asyncio.get_running_loop()

    @property
    def state(self) -> EngineState:
        return EngineState.CLOSED if self._is_closed else self._model.state

    @property
    def error(self) -> FimbleError | None:
        return self._model.worker.error if self._model.worker is not None else None

    @property
    def tokenizer(self) -> Tokenizer:
        tokenizer = self._model.known_tokenizer
        if self.state is not EngineState.READY or tokenizer is None:
            raise EngineError(f"the model is {self.state.value}")
        return tokenizer

    @property
    def figures(self) -> Figures | None:
        return self._model.known_figures

    @property
    def usage(self) -> Usage:
        """What the shared model did for everybody."""
        return self._model.worker.usage if self._model.worker is not None else Usage()

    def on_state_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def tell(self) -> None:
        for listener in self._listeners:
            listener()

    def start(self) -> None:
        self._model.load()

    async def wait_ready(self) -> None:
        """Wait for the load to end. Errors: what made it fail."""
        if self._model.worker is not None:
            await self._model.worker.wait_ready()

    async def generate(self, request: GenerationRequest) -> list[Generation]:
        if self.state is not EngineState.READY:
            raise self.error or EngineError(f"the model is {self.state.value}")
        return await self._model.scheduler.submit(self._session, request)

    def close(self, timeout_s: float = 2.0) -> None:
        """Leave the model to the others; what this session has running stops within one decoded token."""
        if self._is_closed:
            return
        self._is_closed = True
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._pool.release, self, self._model, self._session)


class EnginePool:
    """Every model that some session asked for, within a memory limit.

    **Invariant:** sessions with the same engine settings share one worker, and so one copy of the weights.
    """

    def __init__(
        self,
        make_worker: Callable[[Settings], EngineWorker],
        key_of: Callable[[Settings], Key],
        n_bytes_of: Callable[[Settings], int],
        memory_bytes_max: int,
    ) -> None:
        self._make_worker = make_worker
        self._key_of = key_of
        self._n_bytes_of = n_bytes_of
        self._memory_bytes_max = memory_bytes_max
        self._models: dict[Key, SharedModel] = {}

    def open(self, settings: Settings, session: int) -> SessionEngine:
        """Give a session its view of the model that its settings name; loads nothing yet."""
        key = self._key_of(settings)
        model = self._models.get(key)
        if model is None:
            model = SharedModel(key, settings.model, lambda: self._make_worker(settings), self._n_bytes_of(settings))
            model.on_load = self._make_room
            self._models[key] = model
        engine = SessionEngine(self, model, session)
        model.users.add(engine)
        return engine

    def release(self, engine: SessionEngine, model: SharedModel, session: int) -> None:
        """Take a view back."""
        model.users.discard(engine)
        model.scheduler.forget(session)
        if not model.users:
            model.used_at_s = time.monotonic()
            asyncio.get_running_loop().call_later(UNUSED_KEPT_S, self._drop_unused, model)

    def describe(self) -> list[dict[str, Any]]:
        """Give what `fimble daemon status` shows of the models."""
        return [
            {
                "model": model.name,
                "state": model.state.value if model.worker is not None else "out of memory",
                "n_sessions": len(model.users),
                "n_waiting": model.scheduler.n_waiting,
                "weights_bytes": model.n_bytes,
                "n_evictions": model.n_evictions,
            }
            for model in self._models.values()
        ]

    def close(self) -> None:
        """Stop every model."""
        for model in self._models.values():
            if model.worker is not None:
                model.worker.close(timeout_s=1.0)

    def _make_room(self, model: SharedModel) -> None:
        """Put models out of memory, least recently used first, until `model` fits beside the rest."""
        loaded = [m for m in self._models.values() if m.worker is not None and m is not model]
        n_bytes = sum(m.n_bytes for m in loaded) + model.n_bytes
        for other in sorted(loaded, key=lambda m: (bool(m.users), m.used_at_s)):
            if n_bytes <= self._memory_bytes_max:
                return
            if other.scheduler.is_busy or other.state is EngineState.LOADING:
                continue
            LOGGER.info("model %s leaves memory for %s", other.name, model.name)
            other.evict()
            n_bytes -= other.n_bytes

    def _drop_unused(self, model: SharedModel) -> None:
        if not model.users and time.monotonic() - model.used_at_s >= UNUSED_KEPT_S and model.key in self._models:
            model.evict()
            del self._models[model.key]
