"""The filters in order. A filter goes into the list below; nothing else belongs here."""

from __future__ import annotations

from dataclasses import replace

from fimble.postprocess.align_indentation import align_indentation
from fimble.postprocess.cover_rewritten_suffix import cover_rewritten_suffix
from fimble.postprocess.cut_line import cut_line
from fimble.postprocess.cut_repeated_below import cut_repeated_below
from fimble.postprocess.cut_repetition import cut_repetition
from fimble.postprocess.cut_scope import cut_scope
from fimble.postprocess.cut_sentinel import cut_sentinel
from fimble.postprocess.cut_unfinished_line import cut_unfinished_line
from fimble.postprocess.cut_unmatched_closer import cut_unmatched_closer
from fimble.postprocess.decline_blank import decline_blank
from fimble.postprocess.decline_repeated_above import decline_repeated_above
from fimble.postprocess.draft import Draft, Filter, Outcome, Place
from fimble.postprocess.drop_blank_head import drop_blank_head
from fimble.postprocess.drop_comment_head import drop_comment_head
from fimble.postprocess.finish_text import finish_text
from fimble.postprocess.join_line_suffix import join_line_suffix
from fimble.postprocess.trim_leading_space import trim_leading_space
from fimble.postprocess.unify_line_ends import unify_line_ends
from fimble.records import CursorWindow, Decline, Shape, StopReason

FILTERS: tuple[Filter, ...] = (
    # what is the answer
    unify_line_ends,
    cut_sentinel,
    drop_blank_head,
    drop_comment_head,
    trim_leading_space,
    cut_line,
    # how far does it go: a repeat may be one as it was written, or only once it is indented right
    cut_repeated_below,
    align_indentation,
    cut_repetition,
    cut_scope,
    cut_repeated_below,
    cut_unfinished_line,
    # how does it meet the document
    cover_rewritten_suffix,
    cut_unmatched_closer,
    join_line_suffix,
    decline_repeated_above,
    finish_text,
    decline_blank,
)


def run(
    text: str, window: CursorWindow, shape: Shape, stop_reason: StopReason = StopReason.END_TOKEN
) -> Draft | Decline:
    """Turn what the model wrote at the cursor of `window` into what is shown, or say why nothing is.

    `text` is what the model wrote after `window.prefix`, whole characters. The draft replaces
    `n_replaced_after` code points of the cursor's line; it has LF line ends.
    """
    return apply(FILTERS, Draft(text), Place(window, shape, stop_reason))


def apply(filters: tuple[Filter, ...], draft: Draft, place: Place) -> Outcome:
    """Put a draft through filters, noting which of them changed it; the first decline ends it."""
    for step in filters:
        outcome = step(draft, place)
        if isinstance(outcome, Decline):
            return replace(outcome, detail=outcome.detail or step.__name__)
        if outcome != draft:
            outcome = replace(outcome, applied=(*draft.applied, step.__name__))
        draft = outcome
    return draft
