"""One place to complete, as the parts that answer it pass it on. Plain values."""

from __future__ import annotations

from dataclasses import dataclass

from fimble.completion.policy import Ask
from fimble.completion.request import CompletionRequest
from fimble.records import CancelToken, CursorWindow


@dataclass(frozen=True, slots=True)
class Question:
    """One place to complete, and how. From `part_at_s` on a part of the answer will do."""

    request: CompletionRequest
    window: CursorWindow
    ask: Ask
    token: CancelToken
    deadline_at_s: float
    part_at_s: float | None = None
