"""How long to wait for the next key, from the keys before it."""

from __future__ import annotations

import pytest

from fimble.completion.rhythm import Rhythm


def typed(gap_ms: float, n_keys: int = 10) -> Rhythm:
    rhythm = Rhythm()
    for number in range(n_keys):
        rhythm.key("file:///a.py", number, number * gap_ms / 1000)
    return rhythm


@pytest.mark.parametrize(
    ("gap_ms", "delay_ms"),
    [(40, 50), (100, 125), (190, 237.5), (210, 0), (4, 20)],
    ids=["quick", "steady", "unhurried", "slow", "held down"],
)
def test_waits_as_long_as_the_next_key_takes(gap_ms: float, delay_ms: float) -> None:
    assert typed(gap_ms).delay_ms(75) == pytest.approx(delay_ms)


def test_waits_as_long_as_was_set_while_nothing_is_known() -> None:
    assert Rhythm().delay_ms(75) == 75
    assert typed(40, n_keys=5).delay_ms(75) == 75


def test_does_not_wait_longer_than_the_answer_takes() -> None:
    rhythm = typed(60)
    for _ in range(3):
        rhythm.answered(30)
    assert rhythm.delay_ms(75) == 30


def test_does_not_wait_behind_what_was_inserted_at_once_nor_where_the_setting_is_0() -> None:
    rhythm = typed(60)
    assert rhythm.delay_ms(0) == 0
    rhythm.key("file:///a.py", 40, 1.0)
    assert rhythm.delay_ms(75) == 0
    rhythm.key("file:///a.py", 41, 1.1)
    assert rhythm.delay_ms(75) == 75


def test_pauses_jumps_and_other_documents_are_no_rhythm() -> None:
    rhythm = typed(60)
    rhythm.key("file:///a.py", 11, 9.0)
    rhythm.key("file:///a.py", 3, 9.01)
    rhythm.key("file:///b.py", 4, 9.02)
    assert rhythm.delay_ms(75) == 75
