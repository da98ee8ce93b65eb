"""Which model `auto` is."""

from __future__ import annotations

from fimble.engine.choice import Candidate, choose
from fimble.engine.figures import Figures

GB = 1_000_000_000
FIGURES = Figures(((64, 100.0), (256, 300.0)), 30.0)
"""A line takes 400 ms."""


def chosen(*candidates, target_ms=500, n_bytes_max=100 * GB):
    return choose(candidates, target_ms, "default", n_bytes_max).model_id


def test_none_installed_is_the_default_one():
    assert chosen() == "default"


def test_none_measured_is_the_default_one_or_the_smallest():
    assert chosen(Candidate("large", 3 * GB), Candidate("default", 2 * GB), Candidate("small", GB)) == "default"
    assert chosen(Candidate("large", 3 * GB), Candidate("small", GB)) == "small"


def test_largest_that_was_measured_to_hold_the_target():
    small, large = Candidate("small", GB, FIGURES), Candidate("large", 2 * GB, FIGURES.scaled(1.2))
    huge = Candidate("huge", 4 * GB, FIGURES.scaled(1.3))
    assert chosen(small, large, huge) == "large"
    assert chosen(small, large, huge, target_ms=520) == "huge"
    assert chosen(small, large, huge, target_ms=520, n_bytes_max=3 * GB) == "large"


def test_what_was_not_measured_is_expected_to_take_as_much_longer_as_it_is_larger():
    small, large = Candidate("small", GB, FIGURES), Candidate("large", 2 * GB)
    assert chosen(small, large, target_ms=799) == "small"
    assert chosen(small, large, target_ms=800) == "large"


def test_where_none_holds_the_target_it_is_the_default_one():
    small, default = Candidate("small", GB, FIGURES), Candidate("default", 2 * GB)
    assert chosen(small, default, target_ms=100) == "default"
    assert chosen(small, target_ms=100) == "small"
