"""Add up results: shares with their uncertainty, reasons, filters. Pure; prints nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fimble.eval.result_log import TaskResult
from fimble.metrics import nearest_rank

Z_95 = 1.959964
"""Two-sided 95 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Share:
    """`n` of `n_all` with the bounds of its 95 % interval, all as shares of 1."""

    n: int
    n_all: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What one run of an evaluation says. `n_passed_unanswered` passed although nothing was offered."""

    passed: Share
    exact: Share
    n_declined: int
    n_passed_unanswered: int
    failures: dict[str, int]
    declines: dict[str, int]
    filters: dict[str, int]
    p50_ms: float
    p95_ms: float
    n_decoded_tokens: int


def wilson(n: int, n_all: int) -> Share:
    """Give a share with its Wilson score interval.

    Source: Wilson 1927, Journal of the American Statistical Association 22, 209–212.
    """
    if n_all == 0:
        return Share(0, 0, 0.0, 0.0, 1.0)
    share = n / n_all
    z2 = Z_95 * Z_95
    middle = (share + z2 / (2 * n_all)) / (1 + z2 / n_all)
    half = Z_95 * math.sqrt(share * (1 - share) / n_all + z2 / (4 * n_all * n_all)) / (1 + z2 / n_all)
    return Share(n, n_all, share, max(0.0, middle - half), min(1.0, middle + half))


def summarize(results: Sequence[TaskResult]) -> Summary:
    """Add up one run."""
    times_ms = sorted(result.total_ms for result in results)
    return Summary(
        passed=wilson(sum(r.passed for r in results), len(results)),
        exact=wilson(sum(r.exact for r in results), len(results)),
        n_declined=sum(bool(r.declined) for r in results),
        n_passed_unanswered=sum(r.passed and not r.text for r in results),
        failures=_counted(r.failure for r in results if r.failure),
        declines=_counted(r.declined for r in results if r.declined),
        filters=_counted(name for r in results for name in r.trace.get("filters", ())),
        p50_ms=nearest_rank(times_ms, 0.5) if times_ms else 0.0,
        p95_ms=nearest_rank(times_ms, 0.95) if times_ms else 0.0,
        n_decoded_tokens=sum(r.trace.get("n_decoded_tokens", 0) for r in results),
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())
