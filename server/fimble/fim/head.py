"""The part of a prompt that stays the same while the user types on, so that it need not be read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fimble.fim.prompt import (
    LaidOutPrompt,
    PromptBudget,
    TextEncoder,
    around_prefix,
    first_tokens,
    last_lines,
    owed_space,
    prefix_text,
)
from fimble.manifest import FimTokens
from fimble.records import CursorWindow, FimPrompt, Snippet

LAYOUTS = ("spm2", "spm", "none")
"""Layouts in which what comes before the cursor is the last part of the prompt."""
HEAD_TOKENS_MIN = 48
"""Less is read as quickly as it is looked up."""
SENTINELS_MAX = 4
PREFIX_SHARE_MIN = 0.35
"""A head that holds less of the prefix than this costs the answer too much context."""
TAIL_TOKENS_MAX = 128
"""A longer tail takes as long to read as a short prompt."""
LINES_KEPT_OUT = 1
"""Whole lines above the cursor's that are left to the tail: whoever goes back a line keeps the head."""


@dataclass(frozen=True, slots=True)
class PinnedHead:
    """The ids of a head, the text before the cursor that is in it, and how much of what follows it may hold."""

    ids: tuple[int, ...]
    suffix: tuple[int, ...]
    suffix_tokens_max: int
    older: str
    n_older_tokens: int


def pin(
    window: CursorWindow,
    fim: FimTokens,
    encoder: TextEncoder,
    budget: PromptBudget,
    snippets: Sequence[Snippet] = (),
    n_tokens_max: int | None = None,
) -> PinnedHead | None:
    """Cut a head for the place, at the start of a line close above the cursor; None where it is not worth it.

    Where not all of the prefix fits into `n_tokens_max`, its oldest lines are left out.
    """
    if fim.layout not in LAYOUTS:
        return None
    text = prefix_text(window, snippets)
    cut = text.rfind("\n") + 1
    for _ in range(LINES_KEPT_OUT):
        cut = text.rfind("\n", 0, max(0, cut - 1)) + 1
    suffix = tuple(first_tokens(window.suffix, encoder, budget.suffix_tokens))
    n_older_max = budget.prefix_tokens
    if n_tokens_max is not None:
        n_older_max = min(n_older_max, n_tokens_max - len(suffix) - SENTINELS_MAX)
    if n_older_max < max(HEAD_TOKENS_MIN, PREFIX_SHARE_MIN * budget.prefix_tokens):
        return None
    older = last_lines(text[:cut], encoder, n_older_max)
    older_ids = encoder.encode(older)
    if not HEAD_TOKENS_MIN <= len(older_ids) <= n_older_max:
        return None
    before, _ = around_prefix(suffix, fim, encoder)
    return PinnedHead((*before, *older_ids), suffix, budget.suffix_tokens, older, len(older_ids))


def behind(
    head: PinnedHead,
    window: CursorWindow,
    fim: FimTokens,
    encoder: TextEncoder,
    snippets: Sequence[Snippet] = (),
) -> LaidOutPrompt | None:
    """Lay out a prompt whose first part is `head`; None if the text around the cursor is another."""
    text = prefix_text(window, snippets)
    found = text.rfind(head.older)
    if found < 0:
        return None
    tail = tuple(encoder.encode(text[found + len(head.older) :]))
    if not tail or len(tail) > TAIL_TOKENS_MAX:
        return None
    if tuple(first_tokens(window.suffix, encoder, head.suffix_tokens_max)) != head.suffix:
        return None
    _, end = around_prefix(head.suffix, fim, encoder)
    n_suffix_tokens = 0 if fim.layout == "none" else len(head.suffix)
    return LaidOutPrompt(
        FimPrompt(head.ids, (*tail, *end)), head.n_older_tokens + len(tail), n_suffix_tokens, owed_space(window.prefix)
    )
