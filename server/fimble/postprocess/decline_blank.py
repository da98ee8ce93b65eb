"""Filter: whitespace is no suggestion. The last word of the pipeline."""

from __future__ import annotations

from fimble.postprocess.draft import Draft, Outcome, Place
from fimble.records import Decline, DeclineReason


def decline_blank(draft: Draft, place: Place) -> Outcome:
    """Decline an answer that is empty or whitespace."""
    if draft.text.strip():
        return draft
    return Decline(DeclineReason.ONLY_WHITESPACE if draft.text else DeclineReason.EMPTY_ANSWER)
