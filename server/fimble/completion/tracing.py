"""Collect what one request did, for `explain` and the log. Sizes, times and reasons only, never text."""

from __future__ import annotations

import time
from collections.abc import Sequence

from fimble.completion.ledger import Source
from fimble.completion.request import CompletionRequest
from fimble.records import Decline, Generation, RequestTrace, Shape


class TraceBuilder:
    """Written to while a request runs; `build` gives the finished trace."""

    def __init__(self, request_id: int, request: CompletionRequest, model_id: str, started_at_s: float) -> None:
        self._request_id = request_id
        self._request = request
        self._model_id = model_id
        self._started_at_s = started_at_s
        self._part_at_s = started_at_s
        self._parts_ms: dict[str, float] = {}
        self._generation: Generation | None = None
        self.second_look = ""
        self.calibrated = ""
        self.shape: Shape | None = None
        self.cache = "miss"
        self.n_prefix_tokens = 0
        self.n_suffix_tokens = 0
        self.n_head_tokens = 0
        self.n_decoded_tokens = 0
        self.filters: tuple[str, ...] = ()
        self.source: Source | None = None
        self.n_shown_chars = 0
        self.is_whole = False

    def shows(self, source: Source, n_shown_chars: int) -> None:
        """Take which generation's text is shown, if anything is, and how far."""
        self.source, self.n_shown_chars = source, n_shown_chars

    def part(self, name: str) -> None:
        """Say that the part `name` has just ended."""
        now_s = time.monotonic()
        self._parts_ms[name] = (now_s - self._part_at_s) * 1000
        self._part_at_s = now_s

    def generated(self, generation: Generation) -> None:
        """Take the engine's own times."""
        self.part("engine")
        self._generation = generation
        self.n_decoded_tokens += generation.n_decoded_tokens
        self._parts_ms["queue"] = generation.queue_ms
        self._parts_ms["first_token"] = generation.first_token_ms
        self._parts_ms["decode"] = generation.total_ms - generation.first_token_ms

    def laid_out(self, n_prefix_tokens: int, n_suffix_tokens: int, n_head_tokens: int) -> None:
        """Take the prompt's size."""
        self.n_prefix_tokens, self.n_suffix_tokens = n_prefix_tokens, n_suffix_tokens
        self.n_head_tokens = n_head_tokens
        self.part("prompt")

    def more(self, rows: Sequence[Generation], part: str) -> None:
        """Take the rows of a second look; `part` says how they came about."""
        self.n_decoded_tokens += sum(row.n_decoded_tokens for row in rows)
        self.part(part)

    def build(self, outcome: str, decline: Decline | None = None) -> RequestTrace:
        self._parts_ms["total"] = (time.monotonic() - self._started_at_s) * 1000
        request = self._request
        return RequestTrace(
            request_id=self._request_id,
            uri=request.document.uri,
            language=request.document.language,
            trigger=request.trigger,
            outcome=outcome,
            reason=decline.reason.value if decline else "",
            detail=decline.detail if decline else "",
            shape=self.shape.value if self.shape else "",
            model_id=self._model_id,
            cache=self.cache,
            n_prefix_tokens=self.n_prefix_tokens,
            n_suffix_tokens=self.n_suffix_tokens,
            n_head_tokens=self.n_head_tokens,
            n_decoded_tokens=self.n_decoded_tokens,
            second_look=self.second_look,
            stop_reason=self._generation.stop_reason.value if self._generation else "",
            filters=self.filters,
            calibrated=self.calibrated,
            parts_ms={name: round(value, 2) for name, value in self._parts_ms.items()},
        )
