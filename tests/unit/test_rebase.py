"""An answer that comes after further typing is carried over or dropped, never shown in the wrong place."""

from __future__ import annotations

import pytest

from fimble.completion.rebase import rebase
from fimble.records import Completion
from fimble.text.document import DocumentSnapshot


def snapshot(text: str, version: int = 1) -> DocumentSnapshot:
    return DocumentSnapshot("file:///a.py", "python", version, text)


def applied(completion: Completion, document: DocumentSnapshot) -> str:
    return document.text[: completion.start_offset] + completion.text + document.text[completion.end_offset :]


ASKED = snapshot("def add(\nrest")
COMPLETION = Completion("c1", "a, b):", 8, 8)


def test_unchanged_text_keeps_the_answer() -> None:
    assert rebase(COMPLETION, ASKED, snapshot(ASKED.text, 2), 8) == COMPLETION


def test_text_typed_along_is_covered_by_the_range() -> None:
    newer = snapshot("def add(a, \nrest", 2)
    moved = rebase(COMPLETION, ASKED, newer, 8) or pytest.fail("dropped")
    assert applied(moved, newer) == "def add(a, b):\nrest"


def test_replaced_bracket_is_still_covered() -> None:
    asked = snapshot("def add()\nrest")
    newer = snapshot("def add(a)\nrest", 2)
    moved = rebase(Completion("c1", "a, b):", 8, 9), asked, newer, 8) or pytest.fail("dropped")
    assert applied(moved, newer) == "def add(a, b):\nrest"


@pytest.mark.parametrize(
    "newer",
    ["def add(x\nrest", "def add\nrest", "def add(a, b):\nrest", "def add(\nother rest", "DEF add(a\nrest"],
    ids=["other text", "deleted", "all of it typed", "changed below", "changed above"],
)
def test_what_does_not_fit_is_dropped(newer: str) -> None:
    assert rebase(COMPLETION, ASKED, snapshot(newer, 2), 8) is None
