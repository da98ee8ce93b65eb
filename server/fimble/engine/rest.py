"""When a model's weights may leave memory and when they come back. Runs nothing; the worker says when it is idle."""

from __future__ import annotations

import threading
import time

from fimble.engine.contract import Backend
from fimble.log import LOGGER


class Rest:
    """Whether the weights are away. `settle` and `rouse` are called by the worker alone."""

    def __init__(self, idle_unload_s: float) -> None:
        """0 keeps the weights in memory for good."""
        self._idle_unload_s = idle_unload_s
        self._lock = threading.Lock()
        self._is_resting = False

    def wait_s(self, idle_since_s: float) -> float | None:
        """Give how long until the weights may go, or None if nothing is waited for. Units: monotonic seconds."""
        if not self._idle_unload_s or self._is_resting:
            return None
        return max(0.0, idle_since_s + self._idle_unload_s - time.monotonic())

    def settle(self, backend: Backend) -> bool:
        """Put the weights out of memory, nothing may be running; says whether they are away."""
        with self._lock:
            self._is_resting = self._drop(backend)
            backend.tidy()
        if self._is_resting:
            LOGGER.info("the weights leave memory; the next request brings them back")
        return self._is_resting

    def rouse(self, backend: Backend) -> None:
        """Have the weights in memory. Errors: EngineError."""
        if self._is_resting:
            with self._lock:
                if self._is_resting:
                    backend.wake()
                    self._is_resting = False

    def drop_heads(self, backend: Backend) -> bool:
        """Free all heads, nothing may be running; says whether they are gone. Errors: EngineError."""
        with self._lock:
            self._is_resting = self._drop(backend)
            if not self._is_resting:
                return False
            backend.wake()
            self._is_resting = False
        return True

    def _drop(self, backend: Backend) -> bool:
        is_away = backend.rest()
        if is_away and backend.heads is not None:
            backend.heads.clear()
        return is_away
