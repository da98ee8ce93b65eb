"""A stopped generation loses nothing: what would have come is what the filters cut."""

from __future__ import annotations

import code_text
from hypothesis import given

from fimble.completion.stop import StopRules
from fimble.postprocess import pipeline
from fimble.records import CursorWindow, Decline, Shape, StopReason

LINES_UNBOUNDED = 1000


def shown(text: str, window: CursorWindow, shape: Shape) -> str:
    outcome = pipeline.run(text, window, shape, StopReason.RULE)
    return "" if isinstance(outcome, Decline) else outcome.text


@code_text.few
@given(answer=code_text.answers, window=code_text.windows, shape=code_text.shapes)
def test_stop_never_raises_and_a_line_stops_at_its_end(answer: str, window: CursorWindow, shape: Shape) -> None:
    rules = StopRules(window, shape, 4)
    stops = [rules.should_stop(answer[:end]) for end in range(len(answer) + 1)]
    if shape is Shape.LINE and answer.strip() and "\n" in answer.lstrip():
        assert any(stops)


@code_text.few
@given(answer=code_text.lines, window=code_text.windows)
def test_stopped_line_shows_what_the_whole_answer_would(answer: str, window: CursorWindow) -> None:
    rules = StopRules(window, Shape.LINE, 1)
    end = next((end for end in range(len(answer) + 1) if rules.should_stop(answer[:end])), len(answer))
    assert shown(answer[:end], window, Shape.LINE) == shown(answer, window, Shape.LINE)


@code_text.few
@given(answer=code_text.lines, window=code_text.windows)
def test_stopped_block_shows_what_the_whole_answer_would(answer: str, window: CursorWindow) -> None:
    rules = StopRules(window, Shape.BLOCK, LINES_UNBOUNDED)
    end = next((end for end in range(len(answer) + 1) if rules.should_stop(answer[:end])), len(answer))
    whole = shown(answer, window, Shape.BLOCK)
    # A short line is known for a repeat of the line below by the line after it, which a dedent may have stopped:
    # then what is shown repeats one short line, and the whole answer would have been declined.
    assert shown(answer[:end], window, Shape.BLOCK) == whole or not whole
