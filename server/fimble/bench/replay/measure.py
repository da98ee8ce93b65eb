"""Adds up what was played on one side. Pure; the same arithmetic for every side."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from fimble.bench.replay.agreement import is_exact_line
from fimble.bench.replay.record import STOP_LIMIT_MS, Played, Stop, StopKind
from fimble.bench.replay.screen import Show
from fimble.bench.replay.side import Work
from fimble.metrics import nearest_rank

StopPlace = tuple[str, StopKind, int]


@dataclass(frozen=True, slots=True)
class StopFigures:
    """Waits of one kind, those without a suggestion counted at the limit.

    `share_in_time`: in how many one came. `share_right`: in how many it began right; `right_…_ms`: the waits for these.
    Lengths are means over what came.
    """

    n_stops: int
    p50_ms: float | None
    p90_ms: float | None
    p95_ms: float | None
    share_in_time: float | None
    share_right: float | None
    right_p50_ms: float | None
    right_p95_ms: float | None
    visible_chars: float | None
    later_chars: float | None


@dataclass(frozen=True, slots=True)
class SideFigures:
    """One side over all its files. Shares are of 1; None where there was nothing to divide by.

    `common`: the waits at the stops where every side's suggestion began right, so that quality plays no part.
    `share_covered`: of pauses of 300 ms or more, at the end of which a suggestion stood that agrees with the text;
    `share_covered_right`: one that began right. `share_saved_keys`:
    of the keys that typing by hand takes. `share_exact`: of suggestions shown, whose first line was the line written.
    `share_accepted`: of suggestions shown. `share_wasted`: of decoded tokens, those that were never on the screen.
    """

    n_files: int
    p50_ms: float | None
    p90_ms: float | None
    p95_ms: float | None
    stops: dict[str, StopFigures]
    common: StopFigures
    n_pauses: int
    share_covered: float | None
    share_covered_right: float | None
    share_saved_keys: float | None
    n_shown: int
    share_exact: float | None
    n_accepted: int
    share_accepted: float | None
    n_accepted_chars: int
    n_generations: int
    n_prefilled_tokens: int
    n_decoded_tokens: int
    n_shown_tokens: int
    share_wasted: float | None
    cpu_s: float
    cpu_per_accepted_char_s: float | None
    peak_mib: float
    typing_s: float


def add_up(
    played: Sequence[Played],
    work: Work,
    peak_mib: float,
    count_tokens: Callable[[str], int],
    common: Collection[StopPlace] = (),
) -> SideFigures:
    """Give one side's figures. `count_tokens` is that of the model's own tokenizer, one for all sides.

    `common` are the stops at which every side's suggestion began right.
    """
    stops = [stop for one in played for stop in one.stops]
    by_kind = {"all": _stop_figures(stops)}
    by_kind |= {kind.value: _stop_figures([s for s in stops if s.kind is kind]) for kind in StopKind}
    pauses = [pause for one in played for pause in one.pauses]
    fresh = [(one, show, new) for one in played for show, new in new_shows(one)]
    on_track = [(one, show) for one, show, _ in fresh if one.truth.startswith(show.typed)]
    n_exact = sum(is_exact_line(show.text, one.truth[len(show.typed) :]) for one, show in on_track)
    n_shown_tokens = sum(count_tokens(new) for _, _, new in fresh)
    n_accepted = sum(one.n_accepts for one in played)
    n_accepted_chars = sum(one.n_accepted_chars for one in played)
    n_script_keys = sum(one.n_script_keys for one in played)
    n_typed_keys = sum(one.n_typed_keys for one in played)
    cpu_s = sum(one.cpu_s for one in played)
    everywhere = by_kind["all"]
    return SideFigures(
        n_files=len(played),
        p50_ms=everywhere.p50_ms,
        p90_ms=everywhere.p90_ms,
        p95_ms=everywhere.p95_ms,
        stops=by_kind,
        common=_stop_figures([stop for one in played for stop in one.stops if place_of(one, stop) in common]),
        n_pauses=len(pauses),
        share_covered=_share(sum(pause.is_covered for pause in pauses), len(pauses)),
        share_covered_right=_share(sum(pause.is_right for pause in pauses), len(pauses)),
        share_saved_keys=_share(n_script_keys - n_typed_keys, n_script_keys),
        n_shown=len(fresh),
        share_exact=_share(n_exact, len(fresh)),
        n_accepted=n_accepted,
        share_accepted=_share(n_accepted, len(fresh)),
        n_accepted_chars=n_accepted_chars,
        n_generations=work.n_generations,
        n_prefilled_tokens=work.n_prefilled_tokens,
        n_decoded_tokens=work.n_decoded_tokens,
        n_shown_tokens=n_shown_tokens,
        share_wasted=_share(max(0, work.n_decoded_tokens - n_shown_tokens), work.n_decoded_tokens),
        cpu_s=round(cpu_s, 2),
        cpu_per_accepted_char_s=_ratio(cpu_s, n_accepted_chars),
        peak_mib=peak_mib,
        typing_s=round(sum(one.duration_s for one in played), 1),
    )


def place_of(played: Played, stop: Stop) -> StopPlace:
    """Give what makes a stop the same one on another side."""
    return played.path, stop.kind, stop.offset


def common_stops(sides: Iterable[Sequence[Played]]) -> frozenset[StopPlace]:
    """Give the stops at which every side's suggestion began right."""
    right = [{place_of(one, stop) for one in played for stop in one.stops if stop.is_right} for played in sides]
    return frozenset(set.intersection(*right)) if right else frozenset()


def new_shows(played: Played) -> list[tuple[Show, str]]:
    """Give the suggestions that were new on the screen, each with the part of it that never was there before.

    A suggestion says how the text goes on: what an earlier one said in the same words is no new one, whether it was
    typed through meanwhile or redrawn.
    """
    said: list[str] = []
    fresh: list[tuple[Show, str]] = []
    for show in played.shows:
        whole = show.typed + show.text
        # What was said before of this place, whatever of it has been typed since.
        known = max((_common_chars(whole, earlier) for earlier in said), default=0)
        new = whole[max(known, len(show.typed)) :]
        said.append(whole)
        if new:
            fresh.append((show, new))
    return fresh


def _stop_figures(stops: Sequence[Stop]) -> StopFigures:
    waits = sorted(STOP_LIMIT_MS if stop.agreed_ms is None else stop.agreed_ms for stop in stops)
    came = [stop for stop in stops if stop.agreed_ms is not None]
    right = sorted(stop.agreed_ms for stop in came if stop.agreed_ms is not None and stop.is_right)
    return StopFigures(
        n_stops=len(stops),
        p50_ms=_rank(waits, 0.5),
        p90_ms=_rank(waits, 0.9),
        p95_ms=_rank(waits, 0.95),
        share_in_time=_share(len(came), len(stops)),
        share_right=_share(len(right), len(stops)),
        right_p50_ms=_rank(right, 0.5),
        right_p95_ms=_rank(right, 0.95),
        visible_chars=_ratio(sum(stop.visible_chars for stop in came), len(came), 1),
        later_chars=_ratio(sum(stop.later_chars for stop in came), len(came), 1),
    )


def _rank(ordered_ms: Sequence[float], share: float) -> float | None:
    return round(nearest_rank(ordered_ms, share), 1) if ordered_ms else None


def _share(n_part: int, n_whole: int) -> float | None:
    return _ratio(n_part, n_whole)


def _ratio(part: float, whole: float, n_digits: int = 4) -> float | None:
    return round(part / whole, n_digits) if whole else None


def _common_chars(one: str, other: str) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
