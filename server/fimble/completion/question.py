"""One place to complete, as the parts that answer it pass it on. Plain values."""

from __future__ import annotations

import time
from dataclasses import dataclass

from fimble.completion.policy import Ask
from fimble.completion.request import CompletionRequest
from fimble.records import CancelToken, CursorWindow, Shape, Trigger
from fimble.settings import Settings


@dataclass(frozen=True, slots=True)
class Question:
    """One place to complete, and how.

    From `part_at_s` on a part of the answer will do; from `whole_lines_at_s` on, as many whole lines as there are.
    """

    request: CompletionRequest
    window: CursorWindow
    ask: Ask
    token: CancelToken
    deadline_at_s: float
    part_at_s: float | None = None
    whole_lines_at_s: float | None = None

    @property
    def is_late(self) -> bool:
        """Whether what is there now is to be shown."""
        return self.whole_lines_at_s is not None and time.monotonic() >= self.whole_lines_at_s

    @classmethod
    def asked_at(
        cls,
        now_s: float,
        request: CompletionRequest,
        window: CursorWindow,
        ask: Ask,
        token: CancelToken,
        settings: Settings,
    ) -> Question:
        """Give the question with the moments that the settings name. Who asks by a key waits for all of a block."""
        is_typing = request.trigger is Trigger.AUTOMATIC and request.n_alternatives == 1
        cuts_block = settings.block_ms_max > 0 and ask.shape is Shape.BLOCK and is_typing
        return cls(
            request,
            window,
            ask,
            token,
            deadline_at_s=now_s + settings.deadline_ms / 1000,
            part_at_s=now_s + settings.target_ms / 1000 if settings.show_parts else None,
            whole_lines_at_s=now_s + settings.block_ms_max / 1000 if cuts_block else None,
        )
