"""Heads of prompts: cut where they stay put, the same ids as without, left when the text around is another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fimble.engine.scripted import SPECIAL_NAMES, ByteTokenizer
from fimble.fim.head import TAIL_TOKENS_MAX, PinnedHead, behind, pin
from fimble.fim.prompt import PromptBudget, build
from fimble.manifest import FimTokens
from fimble.records import CursorWindow, Snippet

ENCODER, BUDGET = ByteTokenizer(), PromptBudget(200, 40)
SPM2 = FimTokens("spm2", *SPECIAL_NAMES[:3])
LINES = "".join(f"line_{n} = {n}\n" for n in range(100, 110))


def window(prefix: str, suffix: str = "\nlast = 1\n") -> CursorWindow:
    return CursorWindow(prefix, suffix)


def pinned(prefix: str, fim: FimTokens = SPM2) -> PinnedHead:
    head = pin(window(prefix), fim, ENCODER, BUDGET)
    assert head is not None
    return head


@pytest.mark.parametrize("layout", ["spm2", "spm", "none"])
@pytest.mark.parametrize("line", ["", "    ", "total = sum(", "x "])
def test_head_and_tail_are_the_prompt_without_a_head(layout: str, line: str) -> None:
    fim = replace(SPM2, layout=layout)
    place = window(LINES + line)
    laid_out, whole = (
        behind(pinned(place.prefix, fim), place, fim, ENCODER),
        build(place, fim, ENCODER, BUDGET),
    )
    assert laid_out is not None
    assert (*laid_out.prompt.head, *laid_out.prompt.tail) == whole.prompt.tail
    assert (laid_out.owed, laid_out.n_suffix_tokens) == (whole.owed, whole.n_suffix_tokens)
    assert laid_out.n_prefix_tokens == whole.n_prefix_tokens


def test_head_stays_while_lines_are_typed_and_the_last_one_is_taken_back() -> None:
    head = pinned(LINES + "a = 1")
    for prefix in (LINES, LINES + "a = 12\nb", LINES[: -len("line_109 = 109\n")] + "line"):
        laid_out = behind(head, window(prefix), SPM2, ENCODER)
        assert laid_out is not None
        assert laid_out.prompt.head == head.ids


@pytest.mark.parametrize(
    ("prefix", "suffix"),
    [
        (LINES + "a", "\nother = 1\n"),
        (LINES.replace("105", "999") + "a", "\nlast = 1\n"),
        (LINES + "x" * (TAIL_TOKENS_MAX + 1), "\nlast = 1\n"),
        ("a", "\nlast = 1\n"),
    ],
    ids=["suffix", "prefix", "tail too long", "elsewhere"],
)
def test_head_does_not_serve_another_place(prefix: str, suffix: str) -> None:
    assert behind(pinned(LINES + "a"), window(prefix, suffix), SPM2, ENCODER) is None


def test_head_holds_the_last_lines_within_the_budget() -> None:
    head = pinned(LINES * 3 + "a")
    assert head.n_older_tokens <= BUDGET.prefix_tokens
    assert head.older.startswith("line_")
    assert (LINES * 3).removesuffix("line_109 = 109\n").endswith(head.older)


def test_snippets_stand_in_the_head() -> None:
    snippets = (Snippet("import first\n" * 5, "a cell"),)
    head = pin(window("a = 1\nb = 2\nc"), SPM2, ENCODER, BUDGET, snippets)
    assert head is not None
    assert "import first" in head.older
    assert behind(head, window("a = 1\nb = 2\ncd"), SPM2, ENCODER, snippets) is not None


@pytest.mark.parametrize(("prefix", "layout"), [("a = 1\n", "spm2"), (LINES, "psm"), ("x" * 500 + "\na\n", "spm2")])
def test_no_head_where_it_is_not_worth_it(prefix: str, layout: str) -> None:
    assert pin(window(prefix), replace(SPM2, layout=layout), ENCODER, BUDGET) is None


def test_head_leaves_out_what_the_memory_does_not_hold() -> None:
    head = pin(window(LINES * 3 + "a"), SPM2, ENCODER, BUDGET, n_tokens_max=140)
    assert head is not None
    assert len(head.ids) <= 140
    assert (LINES * 3).removesuffix("line_109 = 109\n").endswith(head.older)
    assert pin(window(LINES * 3 + "a"), SPM2, ENCODER, BUDGET, n_tokens_max=80) is None
