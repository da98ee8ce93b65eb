"""Counts and recent times of this process, in memory only. Nothing here is written to disk or sent."""

from __future__ import annotations

import math
import threading
from collections import Counter, deque
from collections.abc import Sequence

RECENT_MAX = 512


class Metrics:
    """Thread-safe counters and bounded samples."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._recent_ms: dict[str, deque[float]] = {}

    def count(self, name: str, by: int = 1) -> None:
        with self._lock:
            self._counts[name] += by

    def observe_ms(self, name: str, duration_ms: float) -> None:
        with self._lock:
            self._recent_ms.setdefault(name, deque(maxlen=RECENT_MAX)).append(duration_ms)

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)

    def percentile_ms(self, name: str, share: float) -> float | None:
        """Give the nearest-rank percentile (`share` 0 to 1) of the recent samples, or None without any."""
        with self._lock:
            samples = sorted(self._recent_ms.get(name, ()))
        return nearest_rank(samples, share) if samples else None


def nearest_rank(ordered: Sequence[float], share: float) -> float:
    """Give the value that at least `share` (0 to 1) of the sorted, not empty samples do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
