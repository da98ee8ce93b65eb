"""Filter: one kind of line end. The window has LF; the document's own comes back when the answer is sent."""

from __future__ import annotations

from fimble.postprocess.draft import Draft, Outcome, Place
from fimble.text.line_index import to_lf


def unify_line_ends(draft: Draft, place: Place) -> Outcome:
    """Write CRLF and CR as LF."""
    return draft.with_text(to_lf(draft.text))
