"""`fimble stats`: what became of suggestions and actions on this machine. Reads the counts; computes shares only."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fimble.cli.number import count_from_1

if TYPE_CHECKING:
    from fimble.statistics.tally import Subject

SUMMARY = "Show how often suggestions and actions were shown, accepted and undone."
EPILOG = """examples:
  fimble stats                      the last 30 days, by action and language
  fimble stats --days 7 --json
  fimble stats --forget             remove all counts

Counted on this machine only, never with text of documents; the setting `statistics = false` counts nothing. The share
is accepted ÷ shown: where editors say what they drew, ÷ drawn. A suggestion that is typed through is shown once.
"""
BAR_CHARS = 24
_BLOCKS = " ▏▎▍▌▋▊▉█"
_COLUMNS = ("shown", "displayed", "accepted", "partly-accepted", "undone", "rejected", "refused")
_TITLES = ("shown", "drawn", "accepted", "in part", "undone", "rejected", "refused")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=count_from_1, default=30, metavar="N", help="how far back (default: 30)")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.add_argument("--forget", action="store_true", help="remove all counts")


def run(args: argparse.Namespace) -> int:
    from fimble.statistics import store

    path = store.default_path()
    if args.forget:
        store.forget(path)
        sys.stderr.write(f"removed the counts in {path}\n")
        return 0
    days = [datetime.date.today() - datetime.timedelta(days=n) for n in reversed(range(args.days))]
    counts = store.read(path, days[0].isoformat())
    if args.json:
        sys.stdout.write(json.dumps(_as_json(counts, args.days), indent=2, ensure_ascii=False) + "\n")
        return 0
    if not counts:
        sys.stdout.write("Nothing was counted yet.\n")
        return 0
    sys.stdout.write(_text(counts, days))
    sys.stderr.write(f"counts: {path}\n")
    return 0


def _grouped(counts: Mapping[Subject, int]) -> dict[tuple[str, str], Counter[str]]:
    """Add up days and models; gives counts by event for each name and language, ghost text first."""
    from fimble.statistics.tally import GHOST_TEXT

    groups: dict[tuple[str, str], Counter[str]] = {}
    for subject, n in counts.items():
        groups.setdefault((subject.name, subject.language), Counter())[subject.event.value] += n
    return dict(sorted(groups.items(), key=lambda item: (item[0][0] != GHOST_TEXT, item[0])))


def share_accepted(events: Mapping[str, int]) -> float | None:
    """Give accepted ÷ drawn, where editors tell what they drew, else accepted ÷ shown; None where nothing was."""
    n_seen = events.get("displayed", 0) or events.get("shown", 0)
    return min(1.0, events.get("accepted", 0) / n_seen) if n_seen else None


def _as_json(counts: Mapping[Subject, int], n_days: int) -> dict[str, Any]:
    groups = [
        {"name": name, "language": language, "counts": dict(events), "share_accepted": share_accepted(events)}
        for (name, language), events in _grouped(counts).items()
    ]
    rows = [
        {
            "day": subject.day,
            "name": subject.name,
            "language": subject.language,
            "model": subject.model,
            "event": subject.event.value,
            "n": n,
        }
        for subject, n in counts.items()
    ]
    return {"n_days": n_days, "groups": groups, "rows": rows}


def _text(counts: Mapping[Subject, int], days: list[datetime.date]) -> str:
    groups = _grouped(counts)
    width = max(len(f"{name}  {language}") for name, language in groups) + 2
    lines = [f"{'':<{width}}" + "".join(f"{title:>10}" for title in _TITLES) + "   share"]
    total: Counter[str] = Counter()
    for (name, language), events in groups.items():
        lines.append(_row(f"{name}  {language}", events, width))
        total += events
    lines += [_row("all", total, width), "", "accepted a day"]
    per_day: Counter[str] = Counter()
    for subject, n in counts.items():
        per_day[subject.day] += n if subject.event.value == "accepted" else 0
    most = max(per_day.values(), default=0)
    names = [day.isoformat() for day in days if day.isoformat() >= min(per_day)]
    lines += [f"{name}  {bar(per_day[name], most)}  {per_day[name]}" for name in names]
    return "\n".join(lines) + "\n"


def _row(title: str, events: Mapping[str, int], width: int) -> str:
    share = share_accepted(events)
    numbers = "".join(f"{events.get(column, 0) or '·':>10}" for column in _COLUMNS)
    shown = "" if share is None else f"  {share:5.0%}  {bar(share, 1.0).rstrip()}"
    return f"{title:<{width}}{numbers}{shown}".rstrip()


def bar(value: float, most: float) -> str:
    """Give a bar of `BAR_CHARS` for `most`, in eighths of a character."""
    n_eighths = round(value / most * BAR_CHARS * 8) if most else 0
    whole, rest = divmod(n_eighths, 8)
    return ("█" * whole + (_BLOCKS[rest] if rest else "")).ljust(BAR_CHARS)
