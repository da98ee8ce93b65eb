"""Filter: half a line at the end of a block. Looks at why the generation ended, not at the code."""

from __future__ import annotations

from fimble.postprocess.draft import Draft, Outcome, Place
from fimble.records import Shape, StopReason

_BROKEN_OFF = (StopReason.LENGTH, StopReason.DEADLINE, StopReason.CANCELLED)


def cut_unfinished_line(draft: Draft, place: Place) -> Outcome:
    """Keep whole lines only where the generation was broken off; a first line is shown as far as it goes."""
    if place.shape is not Shape.BLOCK or place.stop_reason not in _BROKEN_OFF:
        return draft
    end = draft.text.rfind("\n") + 1
    return draft.cut(end) if draft.text[:end].strip() else draft
