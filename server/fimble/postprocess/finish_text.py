"""Filter: how the answer ends and meets what follows it. Touches trailing whitespace only."""

from __future__ import annotations

import re

from fimble.postprocess.draft import Draft, Outcome, Place
from fimble.postprocess.site import Spot
from fimble.records import StopReason

# A line that ends like this waits for what stands after the cursor.
_JOINS = re.compile(r"(?:[ \t(\[{,=+\-*/%<>&|!.@~^]|\A)\Z")


def finish_text(draft: Draft, place: Place) -> Outcome:
    """Drop trailing whitespace, and end the last line where code on the cursor's line must move down.

    Above a line: whole lines get their line end and the cursor's indentation back, so that the line below
    stays as it is; text that is the beginning of that line is joined to it as it is.
    Before closers: a block that does not contain its closer is ended, so that the closer gets its own line.
    """
    text, window, spot = draft.text, place.window, place.site.spot
    content = text.rstrip()
    if not content:
        return draft
    if spot is Spot.ABOVE_LINE:
        ended = text.rstrip(" \t").endswith("\n") or "\n" in content
        joins = place.stop_reason is StopReason.END_TOKEN and bool(_JOINS.search(text))
        if joins and not ended:
            return draft
        return draft.with_text(content + "\n" + window.line_prefix)
    rest = window.line_suffix[draft.n_replaced_after :]
    if spot is Spot.BEFORE_CLOSERS and "\n" in content and rest.strip():
        indent = window.line_prefix[: len(window.line_prefix) - len(window.line_prefix.lstrip())]
        return draft.with_text(content + "\n" + indent)
    if spot is Spot.MID_LINE and rest[:1].strip():
        return draft.with_text(text.rstrip("\n"))
    return draft.with_text(content)
