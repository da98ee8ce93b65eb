"""A picture of one replay: how soon a suggestion stood there, what it saved and cost. Measures nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fimble.bench.replay.measure import SideFigures
from fimble.bench.replay.record import STOP_LIMIT_MS, Played
from fimble.errors import UsageError

LINEAR_MS = 100
SHARES = (
    ("coverage", "share_covered"),
    ("keys saved", "share_saved_keys"),
    ("exact", "share_exact"),
    ("accepted", "share_accepted"),
    ("wasted", "share_wasted"),
)


def check(path: Path) -> None:
    """Say before a long run that a plot could not be drawn behind it. Errors: UsageError."""
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder for `{path}`")
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError("a plot needs the package `matplotlib`", "install `fimble[bench]`")


def draw(path: Path, sides: Mapping[str, SideFigures], played: Mapping[str, Sequence[Played]]) -> None:
    """Write a PNG; see `check`. Errors: UsageError for a place that cannot be written."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for name, rows in played.items():
        times_ms = sorted(stop.agreed_ms for row in rows for stop in row.stops if stop.agreed_ms is not None)
        n_stops = sum(len(row.stops) for row in rows)
        shares = [number / n_stops for number in range(1, len(times_ms) + 1)] if n_stops else []
        left.step([0, *times_ms, STOP_LIMIT_MS], [0, *shares, (shares or [0])[-1]], where="post", label=name)
    left.set(xlabel="ms since the typist stopped", ylabel="share of stops with a suggestion")
    # Most waits are short and some are at the limit: both ends are to be seen.
    left.set_xscale("symlog", linthresh=LINEAR_MS)
    left.set(xlim=(0, STOP_LIMIT_MS), ylim=(0, 1), title="stop latency")
    left.legend(loc="lower right")
    _bars(right, sides)
    fresh = path.with_name(path.name + ".new")
    try:
        figure.savefig(fresh, format="png", dpi=120)
        fresh.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {error.strerror}") from error
    finally:
        pyplot.close(figure)


def _bars(axes: Any, sides: Mapping[str, SideFigures]) -> None:
    width = 0.8 / max(1, len(sides))
    for number, (name, figures) in enumerate(sides.items()):
        places = [place + (number - (len(sides) - 1) / 2) * width for place in range(len(SHARES))]
        axes.bar(places, [getattr(figures, field) or 0 for _, field in SHARES], width, label=name)
    axes.set_xticks(range(len(SHARES)), [label for label, _ in SHARES])
    axes.set(title="shares", ylim=(min(0, axes.get_ylim()[0]), 1))
