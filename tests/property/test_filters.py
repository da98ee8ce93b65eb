"""What every filter may do to an answer, and nothing else."""

from __future__ import annotations

import re

import code_text
import pytest
from hypothesis import given

from fimble.postprocess import pipeline
from fimble.postprocess.draft import Draft, Filter, Place
from fimble.postprocess.site import Spot
from fimble.records import CursorWindow, Decline, Shape, StopReason

FILTERS = {step.__name__: step for step in pipeline.FILTERS}
CUT_ONLY = (
    "cut_sentinel",
    "cut_line",
    "cut_repetition",
    "cut_scope",
    "cut_repeated_below",
    "cut_unfinished_line",
    "cut_unmatched_closer",
)
LEAVE_ALONE = ("decline_repeated_above", "decline_blank")
all_filters = pytest.mark.parametrize("step", FILTERS.values(), ids=FILTERS)


def without_space(text: str) -> str:
    return re.sub(r"\s", "", text)


def lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def run(step: Filter, answer: str, place: Place) -> Draft | None:
    outcome = step(Draft(answer), place)
    return None if isinstance(outcome, Decline) else outcome


def test_every_filter_is_held_to_something() -> None:
    edits = {
        "unify_line_ends",
        "drop_blank_head",
        "drop_comment_head",
        "trim_leading_space",
        "align_indentation",
        "finish_text",
    }
    covers = {"cover_rewritten_suffix", "join_line_suffix"}
    assert {*CUT_ONLY, *LEAVE_ALONE, *edits, *covers} == set(FILTERS)


@all_filters
@code_text.few
@given(answer=code_text.answers, window=code_text.windows, shape=code_text.shapes, reason=code_text.stop_reasons)
def test_filter_is_idempotent(
    step: Filter, answer: str, window: CursorWindow, shape: Shape, reason: StopReason
) -> None:
    place = Place(window, shape, reason)
    once = run(step, lf(answer), place)
    if once is not None:
        assert step(once, place) == once


@pytest.mark.parametrize("name", CUT_ONLY)
@code_text.few
@given(answer=code_text.answers, window=code_text.windows, shape=code_text.shapes, reason=code_text.stop_reasons)
def test_cut_gives_a_prefix(name: str, answer: str, window: CursorWindow, shape: Shape, reason: StopReason) -> None:
    outcome = run(FILTERS[name], lf(answer), Place(window, shape, reason))
    if outcome is not None:
        assert lf(answer).startswith(outcome.text)
        assert outcome.n_replaced_after == 0


@pytest.mark.parametrize("name", LEAVE_ALONE)
@code_text.few
@given(answer=code_text.answers, window=code_text.windows, shape=code_text.shapes)
def test_decline_changes_nothing(name: str, answer: str, window: CursorWindow, shape: Shape) -> None:
    outcome = run(FILTERS[name], lf(answer), Place(window, shape))
    assert outcome is None or outcome == Draft(lf(answer))


@code_text.few
@given(answer=code_text.answers, window=code_text.windows, shape=code_text.shapes)
def test_unify_line_ends_changes_line_ends_only(answer: str, window: CursorWindow, shape: Shape) -> None:
    outcome = run(FILTERS["unify_line_ends"], answer, Place(window, shape))
    assert outcome is not None
    assert outcome.text.split("\n") == re.split(r"\r\n|\n|\r", answer)


@code_text.few
@given(answer=code_text.answers, window=code_text.windows, shape=code_text.shapes)
def test_head_filters_drop_leading_whitespace_only(answer: str, window: CursorWindow, shape: Shape) -> None:
    text = lf(answer)
    for name in ("drop_blank_head", "trim_leading_space"):
        outcome = run(FILTERS[name], text, Place(window, shape))
        if outcome is not None:
            assert text.lstrip(" \t\n") == outcome.text.lstrip(" \t\n")
            assert len(outcome.text) <= len(text)


@code_text.few
@given(answer=code_text.answers, window=code_text.windows, shape=code_text.shapes)
def test_drop_comment_head_gives_the_end_or_the_first_line(answer: str, window: CursorWindow, shape: Shape) -> None:
    text = lf(answer)
    outcome = run(FILTERS["drop_comment_head"], text, Place(window, shape))
    assert outcome is not None
    assert text.endswith(outcome.text.lstrip(" \t")) or text.startswith(outcome.text)


@code_text.few
@given(answer=code_text.answers, window=code_text.windows, shape=code_text.shapes)
def test_align_indentation_changes_leads_only(answer: str, window: CursorWindow, shape: Shape) -> None:
    text = lf(answer)
    outcome = run(FILTERS["align_indentation"], text, Place(window, shape))
    assert outcome is not None
    before, after = text.split("\n"), outcome.text.split("\n")
    assert [line.lstrip(" \t") for line in after] == [line.lstrip(" \t") for line in before]


@code_text.few
@given(answer=code_text.answers, window=code_text.windows, shape=code_text.shapes, reason=code_text.stop_reasons)
def test_finish_text_changes_the_end_only(answer: str, window: CursorWindow, shape: Shape, reason: StopReason) -> None:
    outcome = run(FILTERS["finish_text"], lf(answer), Place(window, shape, reason))
    assert outcome is not None
    assert outcome.text.rstrip() == lf(answer).rstrip()
    added = outcome.text[len(outcome.text.rstrip()) :]
    assert lf(answer).startswith(outcome.text) or added[1:] in window.line_prefix


@code_text.few
@given(answer=code_text.answers, window=code_text.windows, shape=code_text.shapes)
def test_joining_cuts_or_covers(answer: str, window: CursorWindow, shape: Shape) -> None:
    for name in ("cover_rewritten_suffix", "join_line_suffix"):
        outcome = run(FILTERS[name], lf(answer), Place(window, shape))
        if outcome is not None:
            assert lf(answer).startswith(outcome.text)
            assert 0 <= outcome.n_replaced_after <= len(window.line_suffix)
            if outcome.n_replaced_after:
                assert outcome.text == lf(answer)


@code_text.few
@given(answer=code_text.answers, window=code_text.windows, shape=code_text.shapes, reason=code_text.stop_reasons)
def test_what_is_shown(answer: str, window: CursorWindow, shape: Shape, reason: StopReason) -> None:
    outcome = pipeline.run(answer, window, shape, reason)
    assert outcome == pipeline.run(answer, window, shape, reason)
    if isinstance(outcome, Decline):
        return
    text, spot = outcome.text, Place(window, shape).site.spot
    if "drop_comment_head" in outcome.applied:
        assert without_space(text) in without_space(answer)
    else:
        assert without_space(answer).startswith(without_space(text))
    assert text.strip()
    assert "\r" not in text
    assert 0 <= outcome.n_replaced_after <= len(window.line_suffix)
    n_line_ends_max = 1 if spot is Spot.ABOVE_LINE else 0
    if shape is Shape.LINE or spot is Spot.MID_LINE:
        assert text.count("\n") <= n_line_ends_max
    if spot is Spot.ABOVE_LINE and "\n" in text:
        assert text.endswith("\n" + window.line_prefix)
    elif spot is not Spot.MID_LINE and "\n" not in text[-20:] and not window.line_suffix.strip():
        assert text == text.rstrip()
