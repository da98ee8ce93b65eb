"""Which beginnings of prompts a model keeps read, within bounds. Keeps no state itself and runs nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

HEADS_MAX = 8
"""Each hit looks the head up by all of its ids."""
AGE_S_MAX = 1_800.0
"""A head that nobody used for so long is in nobody's way only while there is room: it is dropped with the next one."""
MIB = 1 << 20


class HeadBook:
    """The heads in a model's memory. What is kept once can only be dropped all together.

    Thread-safe. Source: CTranslate2's cache of static prompts is never evicted; 172 KB a token with 0.5B
    (server/bench/README.md, memory of cached heads).
    """

    def __init__(self, n_bytes_max: int, n_bytes_per_token: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.n_bytes_max = n_bytes_max
        self._n_bytes_per_token = n_bytes_per_token
        self._clock = clock
        self._lock = threading.Lock()
        self._used_at_s: dict[tuple[int, ...], float] = {}
        self._refused: tuple[int, ...] = ()

    def has(self, head: tuple[int, ...]) -> bool:
        """Say whether the head is kept; counts as a use of it."""
        with self._lock:
            if head not in self._used_at_s:
                return False
            self._used_at_s[head] = self._clock()
            return True

    def may_hold(self, head: tuple[int, ...]) -> bool:
        """Say whether the head fits at all, with nothing else kept."""
        return bool(head) and len(head) * self._n_bytes_per_token <= self.n_bytes_max

    def has_room(self, head: tuple[int, ...]) -> bool:
        """Say whether the head fits beside what is kept, none of which is out of use."""
        with self._lock:
            n_tokens = sum(map(len, self._used_at_s)) + len(head)
            is_stale = any(self._clock() - used_at_s > AGE_S_MAX for used_at_s in self._used_at_s.values())
            return (
                len(self._used_at_s) < HEADS_MAX
                and n_tokens * self._n_bytes_per_token <= self.n_bytes_max
                and not is_stale
            )

    def is_refused_again(self, head: tuple[int, ...]) -> bool:
        """Take that there is no room for the head; says whether it was the last one that there was none for, too."""
        with self._lock:
            was_refused, self._refused = head == self._refused, head
            return was_refused

    def keep(self, head: tuple[int, ...]) -> None:
        """Take that the model keeps the head from now on."""
        with self._lock:
            self._used_at_s[head] = self._clock()

    def clear(self) -> None:
        """Take that the model has dropped all of them."""
        with self._lock:
            self._used_at_s.clear()

    @property
    def n_heads(self) -> int:
        return len(self._used_at_s)
