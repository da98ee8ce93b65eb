"""Adding up what was played."""

from __future__ import annotations

import pytest

from fimble.bench.replay.measure import add_up, common_stops, new_shows
from fimble.bench.replay.record import STOP_LIMIT_MS, Pause, Played, Stop, StopKind
from fimble.bench.replay.screen import Show
from fimble.bench.replay.side import Work
from fimble.bench.replay.table import render

TRUTH = "return value\n}"


def played(**more):
    return Played(**({"path": "a.go", "truth": TRUTH, "n_script_keys": 10, "n_typed_keys": 10} | more))


def shows(*pairs):
    return [Show(typed, text, 0.0) for typed, text in pairs]


def figures(*records, work=Work(4, 100, 20)):  # noqa: B008 - a value that nobody changes
    return add_up(records, work, 700.0, lambda text: len(text.split()))


def test_waits_without_a_suggestion_count_at_the_limit():
    right, wrong = Stop(StopKind.LINE_START, 1, 100.0, True, 10, 14), Stop(StopKind.LINE_START, 2, 300.0, False, 4, 4)
    found = figures(played(stops=[right, wrong, Stop(StopKind.MID_LINE, 3, None)]))
    assert (found.p50_ms, found.p95_ms) == (300.0, STOP_LIMIT_MS)
    at_lines = found.stops["line-start"]
    assert (at_lines.n_stops, at_lines.share_in_time, at_lines.share_right) == (2, 1.0, 0.5)
    assert (at_lines.visible_chars, at_lines.later_chars) == (7.0, 9.0)
    assert (at_lines.p50_ms, at_lines.p95_ms, at_lines.right_p50_ms, at_lines.right_p95_ms) == (100, 300, 100, 100)
    assert (found.stops["mid-line"].p50_ms, found.stops["mid-line"].share_in_time) == (STOP_LIMIT_MS, 0.0)
    assert found.stops["after-accept"].p50_ms is None


def test_shares():
    record = played(
        n_typed_keys=7,
        n_accepts=1,
        n_accepted_chars=12,
        cpu_s=3.0,
        pauses=[Pause(n, 300.0, n > 1, n > 3) for n in range(1, 5)],
        shows=shows(("", "return value"), ("return value", "\n  x")),
    )
    found = figures(record)
    assert (found.share_covered, found.share_covered_right) == (0.75, 0.25)
    assert found.share_saved_keys == 0.3
    assert (found.n_shown, found.share_accepted, found.share_exact) == (2, 0.5, 0.5)
    assert (found.n_shown_tokens, found.share_wasted) == (3, 0.85)
    assert found.cpu_per_accepted_char_s == 0.25


def test_suggestion_typed_through_is_one():
    record = played(shows=shows(("", "return value"), ("ret", "urn value"), ("return ", "value")))
    assert [(show.text, new) for show, new in new_shows(record)] == [("return value", "return value")]


def test_only_what_was_added_is_new():
    record = played(shows=shows(("", "return"), ("ret", "urn value")))
    assert [new for _, new in new_shows(record)] == ["return", " value"]


def test_what_disagreed_and_came_back_is_not_new():
    record = played(shows=shows(("", "return x"), ("", "raise y"), ("", "return x")))
    assert [new for _, new in new_shows(record)] == ["return x", "aise y"]


def test_suggestion_shown_beside_a_mistake_is_not_exact():
    assert figures(played(shows=shows(("rx", "return value")))).share_exact == 0.0


def test_more_shown_than_decoded_wastes_nothing():
    record = played(shows=shows(("", "a b c d e f")))
    assert figures(record, work=Work(1, 10, 3)).share_wasted == 0.0


def test_nothing_played_divides_by_nothing():
    found = figures(played(n_script_keys=0, n_typed_keys=0), work=Work())
    assert (found.share_covered, found.share_saved_keys, found.share_wasted) == (None, None, None)
    assert found.cpu_per_accepted_char_s is None


def test_stops_at_which_every_side_began_right():
    both, mine = Stop(StopKind.LINE_START, 1, 100.0, True), Stop(StopKind.LINE_START, 2, 300.0, True)
    records = [played(stops=[both, mine])], [played(stops=[both, Stop(StopKind.LINE_START, 2, 20.0)])]
    common = common_stops(records)
    assert common == {("a.go", StopKind.LINE_START, 1)}
    found = add_up(records[0], Work(), 0.0, len, common)
    assert (found.common.n_stops, found.common.p50_ms, found.common.p95_ms) == (1, 100.0, 100.0)
    assert common_stops([]) == frozenset()


def test_table_has_a_column_for_each_side():
    record = played(stops=[Stop(StopKind.LINE_START, 1, 1234.0, True, 10, 14)])
    text = render({"fimble": figures(record), "naive": figures(played())})
    head, *rows = text.splitlines()
    assert head.split() == ["fimble", "naive"]
    assert rows[0].split() == ["stop", "latency:", "p50", "1,234", "ms", "–"]
    assert any(row.split() == ["peak", "memory", "700", "MiB", "700", "MiB"] for row in rows)


@pytest.mark.parametrize("kind", [kind.value for kind in StopKind])
def test_every_kind_of_stop_has_figures(kind):
    assert kind in figures(played()).stops
