"""How often and how fast a shim brings a daemon back. Counts crashes and waits; starts nothing."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

CRASHES_MAX = 3
WINDOW_S = 60.0
BACK_OFF_S = (0.0, 0.5, 2.0)
"""Before the first, second and third restart of a minute: the first must bring ghost text back within 5 s."""
QUIET_S = 600.0
"""After so long without a crash the next one is news again."""


class Revival:
    """The crashes this shim saw."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._crashes_at_s: deque[float] = deque(maxlen=CRASHES_MAX)
        self.is_first = True

    def note_crash(self) -> bool:
        """Count one; False if there were `CRASHES_MAX` within the window, and nobody should go on."""
        now_s = self._clock()
        self.is_first = not self._crashes_at_s or now_s - self._crashes_at_s[-1] > QUIET_S
        self._crashes_at_s.append(now_s)
        return len(self._crashes_at_s) < CRASHES_MAX or now_s - self._crashes_at_s[0] > WINDOW_S

    def wait(self, *, is_planned: bool) -> None:
        if is_planned:
            return
        now_s = self._clock()
        n_recent = sum(now_s - at_s <= WINDOW_S for at_s in self._crashes_at_s)
        self._sleep(BACK_OFF_S[min(n_recent, len(BACK_OFF_S)) - 1])
