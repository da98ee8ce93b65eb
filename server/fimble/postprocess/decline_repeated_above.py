"""Filter: an answer that only says again what stands right above. Declines or leaves alone; never cuts."""

from __future__ import annotations

from fimble.postprocess.cut_repeated_below import is_telling, same_line
from fimble.postprocess.draft import Draft, Outcome, Place
from fimble.records import Decline, DeclineReason


def decline_repeated_above(draft: Draft, place: Place) -> Outcome:
    """Decline an answer whose lines are the lines above, in order and indented alike."""
    window = place.window
    written = [line.rstrip() for line in (window.line_prefix + draft.text).split("\n") if line.strip()]
    above = window.prefix[: len(window.prefix) - len(window.line_prefix)]
    lines = [line.rstrip() for line in above.split("\n") if line.strip()]
    if not written or len(lines) < len(written) or not any(is_telling(line) for line in written):
        return draft
    if all(same_line(one, other) for one, other in zip(written, lines[-len(written) :], strict=True)):
        return Decline(DeclineReason.REPEATS_PREFIX)
    return draft
