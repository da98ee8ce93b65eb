"""Filter: an answer that only says again what stands right above. Declines or leaves alone; never cuts."""

from __future__ import annotations

from itertools import islice

from fimble.postprocess.cut_repeated_below import is_telling, same_line
from fimble.postprocess.draft import Draft, Outcome, Place
from fimble.records import Decline, DeclineReason


def decline_repeated_above(draft: Draft, place: Place) -> Outcome:
    """Decline an answer whose lines are the lines above, in order and indented alike."""
    window = place.window
    written = [line.rstrip() for line in (window.line_prefix + draft.text).split("\n") if line.strip()]
    if not any(is_telling(line) for line in written):
        return draft
    above = list(islice(filter(None, (line.rstrip() for line in window.lines_above)), len(written)))
    if len(above) == len(written) and all(map(same_line, reversed(written), above)):
        return Decline(DeclineReason.REPEATS_PREFIX)
    return draft
