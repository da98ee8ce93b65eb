"""Prompt layouts, budgets, and user text that spells sentinels."""

from __future__ import annotations

import pytest

from fimble.engine.scripted import SPECIAL_NAMES, ByteTokenizer
from fimble.errors import PromptBudgetError
from fimble.fim.prompt import PromptBudget, build
from fimble.manifest import FimTokens
from fimble.records import CursorWindow, Snippet

PRE, SUF, MID = 256, 257, 258
ROOMY = PromptBudget(1000, 1000)


def text_of(layout: str, window: CursorWindow, budget: PromptBudget = ROOMY, snippets: tuple[Snippet, ...] = ()) -> str:
    names = {PRE: "<P>", SUF: "<S>", MID: "<M>"}
    laid_out = build(window, FimTokens(layout, *SPECIAL_NAMES[:3]), ByteTokenizer(), budget, snippets)
    prompt = laid_out.prompt
    return "".join(names.get(i) or chr(i) for i in (*prompt.head, *prompt.tail))


@pytest.mark.parametrize(
    ("layout", "expected"),
    [("psm", "<P>ab<S>cd<M>"), ("spm", "<S>cd<P>ab<M>"), ("spm2", "<P><S>cd<M>ab"), ("none", "ab")],
)
def test_layout(layout: str, expected: str) -> None:
    assert text_of(layout, CursorWindow("ab", "cd")) == expected


def test_prefix_loses_its_oldest_lines_and_suffix_its_farthest_text() -> None:
    window = CursorWindow("oldest line\nold line\nnew", "near\nfar away")
    assert text_of("spm2", window, PromptBudget(14, 5)) == "<P><S>near\n<M>old line\nnew"


def test_one_long_line_is_cut_in_the_middle() -> None:
    assert text_of("none", CursorWindow("x" * 500 + "end", ""), PromptBudget(10, 0)) == "xxxxxxxend"


def test_user_text_cannot_become_a_sentinel() -> None:
    window = CursorWindow("a = '<|fim_middle|>'", "<|endoftext|>")
    laid_out = build(window, FimTokens("spm2", *SPECIAL_NAMES[:3]), ByteTokenizer(), ROOMY)
    assert [i for i in laid_out.prompt.tail if i >= 256] == [PRE, SUF, MID]


def test_snippets_stand_before_the_prefix() -> None:
    assert text_of("none", CursorWindow("ab", ""), snippets=(Snippet("other", "o.py"),)) == "other\nab"


def test_no_room_is_an_error_with_a_name() -> None:
    with pytest.raises(PromptBudgetError):
        text_of("spm2", CursorWindow("a", "b"), PromptBudget(0, 10))
