"""The typist's times: drawn by the place alone."""

from __future__ import annotations

import pytest

from fimble.bench.replay.rhythm import PAUSE_MS_MIN, Rhythm, Typist, read_typist
from fimble.errors import UsageError

EVEN = Typist(spread_ln_width=0.0, share_thought=0.0, share_mistake=0.0)


def test_same_place_gives_the_same_gap():
    one, other = Rhythm(Typist(), 7, "a.py"), Rhythm(Typist(), 7, "a.py")
    other.gap(1, "x", "y")
    assert [one.gap(n, "x", "y") for n in range(50)] == [other.gap(n, "x", "y") for n in range(50)]


def test_seed_and_file_change_the_draws():
    gaps = {Rhythm(Typist(), seed, name).gap(3, "x", "y") for seed in (1, 2) for name in ("a.py", "b.py")}
    assert len(gaps) == 4


@pytest.mark.parametrize(
    ("key", "before", "field"),
    [
        ("x", "y", "key_ms"),
        ("_", "y", "key_ms"),
        (" ", "y", "key_ms"),
        ("x", " ", "word_ms"),
        ("(", "y", "symbol_ms"),
        ("\n    ", ")", "line_end_ms"),
        ("x", "\n", "line_end_ms"),
    ],
)
def test_each_key_has_its_own_time(key, before, field):
    assert Rhythm(EVEN, 7, "a.py").gap(3, key, before).duration_ms == getattr(EVEN, field)


def test_gap_behind_an_accepted_suggestion():
    assert Rhythm(EVEN, 7, "a.py").gap(3, "x", "y", after_accept=True).duration_ms == EVEN.after_accept_ms


def test_only_long_gaps_are_pauses():
    rhythm = Rhythm(Typist(), 7, "a.py")
    gaps = [rhythm.gap(n, "x", " ") for n in range(300)]
    assert {gap.is_pause for gap in gaps} == {True, False}
    assert all(gap.is_pause == (gap.duration_ms >= PAUSE_MS_MIN) for gap in gaps)


def test_mistakes_are_other_letters_and_as_many_as_asked_for():
    rhythm = Rhythm(Typist(share_mistake=0.3), 7, "a.py")
    mistakes = [rhythm.gap(n, "x", "y").mistake for n in range(1000)]
    wrong = [letter for letter in mistakes if letter]
    assert 200 < len(wrong) < 400
    assert "x" not in wrong
    assert not any(rhythm.gap(n, "(", "y").mistake for n in range(200))


def test_typist_from_a_file(tmp_path):
    path = tmp_path / "typist.toml"
    path.write_text("key_ms = 80\n", encoding="utf-8")
    assert read_typist(path) == Typist(key_ms=80.0)
    assert read_typist(None) == Typist()


@pytest.mark.parametrize("content", ["speed = 3\n", 'key_ms = "fast"\n', "key_ms = -1\n", "key_ms = true\n", "key_ms"])
def test_file_that_describes_no_typist(tmp_path, content):
    path = tmp_path / "typist.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError):
        read_typist(path)
