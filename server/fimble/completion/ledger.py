"""What became of the decoded tokens: shown, or wasted. Says from that whether work ahead pays; holds no text."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from fimble.metrics import Metrics

HALF_LIFE_TOKENS = 1_000
"""After so many decoded tokens what was before counts half."""
AHEAD_TOKENS_MIN = 32
"""So much may be prepared before anything is known about its use."""
HALF_LIFE_LINES = 32
FOLLOWED_LINES_MIN = 8
"""Of fewer finished lines nothing is known about what comes behind them."""
FOLLOWED_SHARE_MIN = 0.5
"""From here on a next line decoded at once is rather used than not."""


@dataclass(slots=True, eq=False)
class Source:
    """One generation: its tokens, known once it has ended, and how much of its text was shown.

    From `ahead_from_offset` on nobody had asked for the text when it was decoded.
    """

    n_tokens: int = 0
    n_chars: int = 0
    n_shown_chars: int = 0
    ahead_from_offset: int | None = None
    has_ended: bool = False
    was_finished: bool = False
    was_followed: bool = False

    def tokens_between(self, start_offset: int, end_offset: int) -> float:
        """Give the share of the tokens that wrote these characters."""
        return self.n_tokens * max(0, min(end_offset, self.n_chars) - start_offset) / max(1, self.n_chars)

    def ahead_tokens_between(self, start_offset: int, end_offset: int) -> float:
        """Give the share of them that nobody had asked for."""
        if self.ahead_from_offset is None:
            return 0.0
        return self.tokens_between(max(start_offset, self.ahead_from_offset), end_offset)


class Ledger:
    """Counts into the metrics `tokens.decoded`, `tokens.shown` and `tokens.wasted` (decoded and not shown yet).

    Written to from the event loop; `may_go_ahead` and `is_followed` may be asked from any thread.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lock = threading.Lock()
        self._n_decoded = 0.0
        self._n_ahead_unused = 0.0
        self._n_shown_rest = 0.0
        self._n_finished = 0.0
        self._n_followed = 0.0

    def decoded(self, source: Source, n_tokens: int, n_chars: int) -> None:
        """Take a generation that has ended, shown in part perhaps."""
        source.n_tokens, source.n_chars, source.has_ended = n_tokens, n_chars, True
        self._metrics.count("tokens.decoded", n_tokens)
        self._metrics.count("tokens.wasted", n_tokens)
        with self._lock:
            self._n_decoded += n_tokens
            self._n_ahead_unused += source.ahead_tokens_between(0, n_chars)
            if self._n_decoded > 2 * HALF_LIFE_TOKENS:
                self._n_decoded /= 2
                self._n_ahead_unused /= 2
        self._credit(source, 0, source.n_shown_chars)

    def shown(self, source: Source, end_offset: int) -> None:
        """Take that the generation's text was shown up to `end_offset`."""
        start_offset = source.n_shown_chars
        source.n_shown_chars = max(start_offset, end_offset)
        if source.has_ended:
            self._credit(source, start_offset, end_offset)

    def may_go_ahead(self, wasted_per_100_tokens: int) -> bool:
        """Say whether less than this share of the decoded tokens was prepared and not used yet."""
        with self._lock:
            return self._n_ahead_unused < max(AHEAD_TOKENS_MIN, self._n_decoded * wasted_per_100_tokens / 100)

    def finished(self, source: Source) -> None:
        """Take that a line was shown, or is whole, behind which another may come."""
        if source.was_finished:
            return
        source.was_finished = True
        with self._lock:
            self._n_finished += 1
            if self._n_finished > 2 * HALF_LIFE_LINES:
                self._n_finished /= 2
                self._n_followed /= 2

    def followed(self, source: Source) -> None:
        """Take that somebody came to that line's end: it was taken, or typed by hand."""
        if source.was_finished and not source.was_followed:
            source.was_followed = True
            with self._lock:
                self._n_followed += 1

    @property
    def is_followed(self) -> bool:
        """Whether somebody comes to the end of most finished lines."""
        with self._lock:
            return self._n_finished >= FOLLOWED_LINES_MIN and self._n_followed >= FOLLOWED_SHARE_MIN * self._n_finished

    def _credit(self, source: Source, start_offset: int, end_offset: int) -> None:
        if end_offset <= start_offset:
            return
        with self._lock:
            self._n_shown_rest += source.tokens_between(start_offset, end_offset)
            n_whole = int(self._n_shown_rest)
            self._n_shown_rest -= n_whole
            n_ahead = source.ahead_tokens_between(start_offset, end_offset)
            self._n_ahead_unused = max(0.0, self._n_ahead_unused - n_ahead)
        self._metrics.count("tokens.shown", n_whole)
        self._metrics.count("tokens.wasted", -n_whole)
