"""Shares and what is added up."""

from __future__ import annotations

import pytest

from fimble.eval.result_log import TaskResult
from fimble.eval.summary import summarize, wilson


@pytest.mark.parametrize(
    ("n", "n_all", "low", "high"),
    [
        # Checked by hand against the closed form with z = 1.96.
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (152, 200, 0.6963, 0.8139),
    ],
)
def test_wilson_interval(n: int, n_all: int, low: float, high: float):
    share = wilson(n, n_all)
    assert share.share == n / n_all
    assert (share.low, share.high) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))


def test_nothing_measured_says_nothing():
    share = wilson(0, 0)
    assert (share.low, share.high) == (0.0, 1.0)
    assert summarize([]).p50_ms == 0.0


def test_counts():
    results = [
        TaskResult("1", True, True, text="x", total_ms=10, trace={"filters": ["scope"], "n_decoded_tokens": 4}),
        TaskResult("2", True, False, declined="only-whitespace", total_ms=20),
        TaskResult("3", False, False, failure="NameError", text="y", total_ms=30, trace={"filters": ["scope"]}),
        TaskResult("4", False, False, failure="NameError", declined="empty-answer", total_ms=40),
    ]
    summary = summarize(results)
    assert (summary.passed.n, summary.exact.n) == (2, 1)
    assert (summary.n_declined, summary.n_passed_unanswered) == (2, 1)
    assert summary.failures == {"NameError": 2}
    assert summary.declines == {"only-whitespace": 1, "empty-answer": 1}
    assert summary.filters == {"scope": 2}
    assert (summary.p50_ms, summary.p95_ms, summary.n_decoded_tokens) == (20, 40, 4)
