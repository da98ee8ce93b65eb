"""The order of several answers for one place."""

from __future__ import annotations

from fimble.completion.candidate import in_order, judge
from fimble.records import CursorWindow, Generation, Shape, StopReason


def test_answers_that_look_alike_are_shown_once_whatever_they_went_through() -> None:
    window = CursorWindow("x =", "\n", "python")
    rows = [Generation(text, 1, StopReason.RULE) for text in (" 1", " 1\n")]
    first, other = (judge(row, row.text, window, Shape.LINE) for row in rows)
    assert first.outcome != other.outcome
    assert in_order(first, [other]) == [first]
