"""Filter: the cursor's own blank line is where the answer starts. Touches leading whitespace only."""

from __future__ import annotations

import re

from fimble.postprocess.draft import Draft, Outcome, Place
from fimble.postprocess.scan import indent_columns
from fimble.postprocess.site import Spot
from fimble.records import Decline, DeclineReason, Shape

_BLANK_LINES = re.compile(r"(?:[ \t]*\n)+")


def drop_blank_head(draft: Draft, place: Place) -> Outcome:
    """Drop blank lines before the answer, and the cursor's indentation where the model wrote it again.

    After code, a line is ended once at most; where one line is asked for, there is nothing to add to it.
    """
    match = _BLANK_LINES.match(draft.text)
    if match is None:
        return draft
    rest = draft.text[match.end() :]
    if place.site.spot in (Spot.OWN_LINE, Spot.ABOVE_LINE):
        if not rest.strip():
            return Decline(DeclineReason.ONLY_WHITESPACE)
        return draft.with_text(without_columns(rest, place.site.indent, place.window.tab_width_columns))
    if place.shape is Shape.LINE:
        return Decline(DeclineReason.ONLY_WHITESPACE, "the line is complete")
    return draft.with_text("\n" + rest)


def without_columns(text: str, columns: int, tab_width_columns: int) -> str:
    """Take up to `columns` columns of whitespace from the front."""
    end = 0
    while end < len(text) and text[end] in " \t" and indent_columns(text[: end + 1], tab_width_columns) <= columns:
        end += 1
    return text[end:]
