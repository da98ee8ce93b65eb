"""When to leave a server alone that does not answer. Knows neither servers nor requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FIRST_WAIT_S = 1.0
WAIT_S_MAX = 60.0
FAILURES_MIN = 3
"""One failure is an accident; so many in a row are a state."""


class CircuitBreaker:
    """Closed while things go well; open for a doubling time after failures in a row; then one trial.

    Source: M. Nygard, Release It!, "Circuit Breaker". Thread-safe.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._n_failures = 0
        self._wait_s = FIRST_WAIT_S
        self._open_until_s = 0.0

    def wait_s(self) -> float:
        """Give how long nobody may try; 0 lets the caller try, and others wait for how that goes."""
        with self._lock:
            left_s = self._open_until_s - self._clock()
            if left_s > 0:
                return left_s
            if self._n_failures >= FAILURES_MIN:
                # Half open: this caller tries; the rest wait as long as the last pause was.
                self._open_until_s = self._clock() + self._wait_s
            return 0.0

    def succeeded(self) -> None:
        with self._lock:
            self._n_failures, self._wait_s, self._open_until_s = 0, FIRST_WAIT_S, 0.0

    def failed(self, retry_after_s: float | None = None) -> None:
        """Note a failure; `retry_after_s` is the server's own wish and counts at once."""
        with self._lock:
            self._n_failures += 1
            if retry_after_s is not None:
                self._open_until_s = self._clock() + min(max(retry_after_s, 0.0), WAIT_S_MAX)
            elif self._n_failures >= FAILURES_MIN:
                self._open_until_s = self._clock() + self._wait_s
                self._wait_s = min(2 * self._wait_s, WAIT_S_MAX)
