"""What a filter takes and gives. Values only: no filter, no order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from fimble.postprocess.site import Site, survey
from fimble.records import CursorWindow, Decline, DeclineReason, Shape, StopReason


@dataclass(frozen=True, slots=True)
class Draft:
    """A suggestion on its way: `text` replaces the next `n_replaced_after` code points of the line suffix.

    A trailing line end says that the model ended its last line; `finish_text` decides what becomes of it.
    `applied` names the filters that changed something, in order.
    """

    text: str
    n_replaced_after: int = 0
    applied: tuple[str, ...] = ()

    def cut(self, end_offset: int) -> Draft:
        """Keep the text before `end_offset`."""
        return replace(self, text=self.text[:end_offset])

    def with_text(self, text: str) -> Draft:
        return replace(self, text=text)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the text goes and how it came about."""

    window: CursorWindow
    shape: Shape
    stop_reason: StopReason = StopReason.END_TOKEN

    @property
    def site(self) -> Site:
        return survey(self.window)


Outcome = Draft | Decline
Filter = Callable[[Draft, Place], Outcome]


def cut_or_decline(draft: Draft, end_offset: int, reason: DeclineReason) -> Outcome:
    """Cut at `end_offset`; decline if nothing but whitespace would be left."""
    return draft.cut(end_offset) if draft.text[:end_offset].strip() else Decline(reason)
