"""What happens after each decoded token of one generation: text, stop rules, cancellation, deadline, pause."""

from __future__ import annotations

import time
from collections.abc import Callable

from fimble.engine.contract import GenerationRequest, Row, Tokenizer
from fimble.records import Generation, StopReason

REPLACEMENT = "�"


class Stepper:
    """Follows one row while it is decoded, on the engine's thread."""

    def __init__(
        self,
        request: GenerationRequest,
        tokenizer: Tokenizer,
        started_at_s: float,
        gate: Callable[[], StopReason | None],
    ) -> None:
        self._request = request
        self._tokenizer = tokenizer
        self._started_at_s = started_at_s
        self._gate = gate
        self._ids = {n_row: list(start) for n_row, start in enumerate(request.starts)}
        self._is_single = request.n_rows == 1 and len(request.starts) <= 1
        self._first_token_at_s: float | None = None
        self._stop: StopReason | None = None

    def on_token(self, token_id: int, n_row: int = 0) -> bool:
        """Take the next id of a row; says whether the row is to stop."""
        if self._first_token_at_s is None:
            self._first_token_at_s = time.monotonic()
        ids = self._ids.setdefault(n_row, [])
        ids.append(token_id)
        stop = self._why_stop(ids)
        # One of several rows that ends by the rule says nothing of the others.
        if stop is not StopReason.RULE or self._is_single:
            self._stop = stop or self._stop
        return stop is not None

    def _why_stop(self, ids: list[int]) -> StopReason | None:
        request = self._request
        if request.token.cancelled:
            return StopReason.CANCELLED
        if request.should_stop is not None or request.on_text is not None:
            text = whole_characters(self._tokenizer.decode(ids))
            if request.on_text is not None and self._is_single:
                request.on_text(text)
            if request.should_stop is not None and request.should_stop(text):
                return StopReason.RULE
        if request.due_at_s is not None and time.monotonic() >= request.due_at_s:
            return StopReason.DEADLINE
        gated = self._gate()
        # A pause may have lasted: the token is looked at again before the next step is paid for.
        return gated or (StopReason.CANCELLED if request.token.cancelled else None)

    def generation(self, row: Row, queue_ms: float) -> Generation:
        """Give the result of `row` once the backend has returned."""
        ended_at_s = time.monotonic()
        first_at_s = self._first_token_at_s or ended_at_s
        stop = self._stop or (StopReason.END_TOKEN if row.ended else StopReason.LENGTH)
        return Generation(
            text=whole_characters(self._tokenizer.decode(row.ids)),
            n_decoded_tokens=len(row.ids),
            stop_reason=stop,
            queue_ms=queue_ms,
            first_token_ms=(first_at_s - self._started_at_s) * 1000,
            total_ms=(ended_at_s - self._started_at_s) * 1000,
            log_probability=row.log_probability,
        )


def whole_characters(text: str) -> str:
    """Drop the bytes of a character that is not complete yet (at most three, shown as U+FFFD)."""
    return text.rstrip(REPLACEMENT)
