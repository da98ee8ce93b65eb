"""The figures of several sides side by side, as text. Measures nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fimble.bench.replay.measure import SideFigures

Cell = Callable[[SideFigures], float | None]
_LABEL_WIDTH, _CELL_WIDTH = 40, 12


def _ms(get: Cell) -> Callable[[SideFigures], str]:
    return lambda figures: "–" if (value := get(figures)) is None else f"{value:,.0f} ms"


def _share(get: Cell) -> Callable[[SideFigures], str]:
    return lambda figures: "–" if (value := get(figures)) is None else f"{value * 100:.1f} %"


def _number(get: Cell, n_digits: int = 0, unit: str = "") -> Callable[[SideFigures], str]:
    return lambda figures: "–" if (value := get(figures)) is None else f"{value:,.{n_digits}f}{unit}"


def _stop_rows(kind: str, label: str) -> list[tuple[str, Callable[[SideFigures], str]]]:
    return [
        (f"{label}: p50", _ms(lambda f: f.stops[kind].p50_ms)),
        (f"{label}: p90", _ms(lambda f: f.stops[kind].p90_ms)),
        (f"{label}: p95", _ms(lambda f: f.stops[kind].p95_ms)),
        ("  in time", _share(lambda f: f.stops[kind].share_in_time)),
        ("  of", _number(lambda f: f.stops[kind].n_stops, unit=" stops")),
        ("  began right", _share(lambda f: f.stops[kind].share_right)),
        ("  those alone: p50", _ms(lambda f: f.stops[kind].right_p50_ms)),
        ("  those alone: p95", _ms(lambda f: f.stops[kind].right_p95_ms)),
    ]


ROWS: list[tuple[str, Callable[[SideFigures], str]]] = [
    *_stop_rows("all", "stop latency"),
    ("  length when it appeared", _number(lambda f: f.stops["all"].visible_chars, 1, " chars")),
    ("  length half a second later", _number(lambda f: f.stops["all"].later_chars, 1, " chars")),
    ("where all sides began right: p50", _ms(lambda f: f.common.p50_ms)),
    ("where all sides began right: p95", _ms(lambda f: f.common.p95_ms)),
    ("  of", _number(lambda f: f.common.n_stops, unit=" stops")),
    *_stop_rows("line-start", "at line starts"),
    *_stop_rows("after-accept", "after acceptance"),
    *_stop_rows("mid-line", "in a line, unpredicted"),
    ("coverage of pauses", _share(lambda f: f.share_covered)),
    ("  by what began right", _share(lambda f: f.share_covered_right)),
    ("keystrokes saved", _share(lambda f: f.share_saved_keys)),
    ("suggestions shown", _number(lambda f: f.n_shown)),
    ("  first line exact", _share(lambda f: f.share_exact)),
    ("  accepted", _share(lambda f: f.share_accepted)),
    ("characters accepted", _number(lambda f: f.n_accepted_chars)),
    ("generations", _number(lambda f: f.n_generations)),
    ("tokens prefilled", _number(lambda f: f.n_prefilled_tokens)),
    ("tokens decoded", _number(lambda f: f.n_decoded_tokens)),
    ("  wasted", _share(lambda f: f.share_wasted)),
    ("processor time", _number(lambda f: f.cpu_s, 1, " s")),
    ("  per accepted character", _number(lambda f: f.cpu_per_accepted_char_s, 3, " s")),
    ("peak memory", _number(lambda f: f.peak_mib, 0, " MiB")),
    ("time typed", _number(lambda f: f.typing_s, 0, " s")),
]


def render(sides: Mapping[str, SideFigures]) -> str:
    """Give one row per figure and one column per side."""
    lines = [" " * _LABEL_WIDTH + "".join(f"{name:>{_CELL_WIDTH}}" for name in sides)]
    for label, cell in ROWS:
        cells = "".join(f"{cell(figures):>{_CELL_WIDTH}}" for figures in sides.values())
        lines.append(f"{label:<{_LABEL_WIDTH}}{cells}")
    return "\n".join(lines) + "\n"
