"""Filter: one line where one line is asked for. Decides nothing about what is on it."""

from __future__ import annotations

from fimble.postprocess.draft import Draft, Outcome, Place, cut_or_decline
from fimble.postprocess.site import Spot
from fimble.records import DeclineReason, Shape


def cut_line(draft: Draft, place: Place) -> Outcome:
    """Cut after the first line end, where one line is asked for or code follows on the cursor's line.

    The line end stays: it says that the model ended the line (`finish_text` uses it up).
    """
    if place.shape is Shape.BLOCK and place.site.spot is not Spot.MID_LINE:
        return draft
    end = draft.text.find("\n")
    return draft if end < 0 else cut_or_decline(draft, end + 1, DeclineReason.ONLY_WHITESPACE)
