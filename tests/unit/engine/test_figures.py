"""What follows from measured times."""

from __future__ import annotations

import json

import pytest

from fimble.engine import figures as figures_of
from fimble.engine.figures import Figures

QUIET_MACHINE = Figures(((64, 169.0), (128, 242.0), (256, 422.0), (512, 937.0)), 60.0, "2026-11-24T12:00:00+00:00")
"""From server/bench/README.md."""


def test_times_between_two_sizes_lie_on_a_line():
    assert QUIET_MACHINE.first_token_ms(128) == 242.0
    assert QUIET_MACHINE.first_token_ms(96) == (169.0 + 242.0) / 2
    assert QUIET_MACHINE.first_token_ms(1) == 169.0


def test_beyond_the_largest_size_times_grow_as_they_did():
    assert QUIET_MACHINE.first_token_ms(1024) == pytest.approx(937.0 * 937.0 / 422.0)
    assert Figures(((100, 50.0),), 1.0).first_token_ms(400) == 200.0
    assert Figures(((100, 50.0), (200, 50.0)), 1.0).first_token_ms(400) == 100.0
    assert Figures(((99, 1e-6), (100, 1e9)), 1.0).first_token_ms(200) == 4e9


def test_a_larger_prompt_that_was_read_sooner_by_chance_counts_as_no_sooner():
    noisy = Figures(((64, 100.0), (128, 80.0), (256, 200.0)), 1.0)
    assert noisy.first_token_ms(128) == 100.0
    assert noisy.tokens_read_within(100.0) == 128


@pytest.mark.parametrize(("limit_ms", "n_tokens"), [(0.0, 0), (168.9, 0), (169.0, 64), (242.0, 128), (937.0, 512)])
def test_tokens_read_within_a_time(limit_ms, n_tokens):
    assert QUIET_MACHINE.tokens_read_within(limit_ms) == n_tokens


def test_a_line_is_read_and_written():
    assert QUIET_MACHINE.line_ms == 169.0 + 10 * 60.0
    assert QUIET_MACHINE.scaled(2.0).line_ms == 2 * QUIET_MACHINE.line_ms


def test_figures_come_back_from_json_as_they_were():
    assert figures_of.from_json(json.loads(json.dumps(QUIET_MACHINE.as_json()))) == QUIET_MACHINE


@pytest.mark.parametrize(
    "change",
    [
        {"prefill_ms": []},
        {"prefill_ms": [[64, 0.0]]},
        {"prefill_ms": [[64, float("nan")]]},
        {"prefill_ms": [[64, 2.0], [64, 3.0]]},
        {"prefill_ms": [[0, 2.0]]},
        {"prefill_ms": 7},
        {"decode_ms_per_token": -1.0},
        {"decode_ms_per_token": "quick"},
        {"measured_at": None},
        {"was_busy": 1},
    ],
)
def test_what_are_no_figures_is_refused(change):
    with pytest.raises((ValueError, TypeError)):
        figures_of.from_json(QUIET_MACHINE.as_json() | change)
