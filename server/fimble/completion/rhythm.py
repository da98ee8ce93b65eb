"""How fast the user types and the model answers, and from that how long to wait for the next key. Knows no text."""

from __future__ import annotations

import statistics
from collections import deque

GAPS_MAX = 20
GAPS_MIN = 5
"""With fewer keys nothing is known of the typist."""
PAUSE_MS = 1_000.0
"""A longer gap is a pause, not part of the rhythm."""
RESPONSES_MAX = 10
NEXT_KEY_FACTOR = 1.25
"""Most gaps of a steady typist are within this factor of the middle one."""
WAIT_MS_MAX = 250.0
"""One who types more slowly than that is not waited for."""
WAIT_MS_MIN = 20.0


class Rhythm:
    """Keys and answers of one editor session. Times are monotonic."""

    def __init__(self) -> None:
        self._gaps_ms: deque[float] = deque(maxlen=GAPS_MAX)
        self._responses_ms: deque[float] = deque(maxlen=RESPONSES_MAX)
        self._last: tuple[str, int, float] | None = None
        self.after_insertion = False
        """Whether more than a key's worth came at once before the last request."""

    def key(self, uri: str, offset: int, now_s: float) -> None:
        """Take a request: where the cursor is now, and so how far it went since the one before."""
        last, self._last = self._last, (uri, offset, now_s)
        self.after_insertion = False
        if last is None or last[0] != uri:
            return
        n_moved, gap_ms = offset - last[1], (now_s - last[2]) * 1000
        # More than a character at once was accepted or pasted: nobody types so fast, and nobody types on at once.
        self.after_insertion = n_moved > 2
        if n_moved in (1, 2) and gap_ms < PAUSE_MS:
            self._gaps_ms.append(gap_ms)

    def answered(self, duration_ms: float) -> None:
        """Take how long the model took for an answer, without the delay."""
        self._responses_ms.append(duration_ms)

    def delay_ms(self, unknown_ms: int) -> float:
        """Say how long to wait for the next key before the model is asked; `unknown_ms` of an unknown typist.

        As long as the next key of this typist takes as a rule, but not longer than the answer itself does; not
        at all behind what was inserted at once, or where the next key comes later than any wait would end.
        An answer begun between two keys of a burst is in vain, and its prompt, which cannot be left half read, keeps
        the model from the next one.
        """
        if not unknown_ms or self.after_insertion:
            return 0.0
        if len(self._gaps_ms) < GAPS_MIN:
            return float(unknown_ms)
        wait_ms = NEXT_KEY_FACTOR * statistics.median(self._gaps_ms)
        if wait_ms > WAIT_MS_MAX:
            return 0.0
        if self._responses_ms:
            wait_ms = min(wait_ms, statistics.median(self._responses_ms))
        return max(wait_ms, WAIT_MS_MIN)
