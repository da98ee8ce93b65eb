"""Puts one replay together: files, sides, turns, figures. No argument parsing, no printing.

Each side's process lives through the whole run. The sides take turns file by file, the order reversed each time, and a
turn begins when the side before has nothing left to do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fimble.bench.process_tree import spent, wait_quiet
from fimble.bench.replay.measure import SideFigures, add_up, common_stops
from fimble.bench.replay.player import Player
from fimble.bench.replay.record import STOP_LIMIT_MS, Played
from fimble.bench.replay.rhythm import Rhythm, Typist
from fimble.bench.replay.script import Script
from fimble.bench.replay.side import Side, Work


@dataclass
class Turns:
    """What one side did so far."""

    played: list[Played]
    work: Work
    peak_mib: float


def play(
    sides: Sequence[Side],
    scripts: Sequence[Script],
    typist: Typist,
    seed: int,
    count_tokens: Callable[[str], int],
    on_turn: Callable[[str, str, int, int], None] = lambda side, path, n_done, n_all: None,
    stop_limit_ms: float = STOP_LIMIT_MS,
) -> tuple[dict[str, SideFigures], dict[str, list[Played]]]:
    """Play every script on every side; give figures and records by the side's name.

    `on_turn` is told of each turn before it. Errors: FimbleError if a side fails.
    """
    turns = {side.name: Turns([], Work(), 0.0) for side in sides}
    n_turns = len(sides) * len(scripts)
    with contextlib.ExitStack() as stack:
        for side in sides:
            stack.callback(side.stop)
            side.start()
        for number, script in enumerate(scripts):
            for place, side in enumerate(sides if number % 2 == 0 else list(reversed(sides))):
                on_turn(side.name, script.path, number * len(sides) + place, n_turns)
                _turn(side, Player(side, script, Rhythm(typist, seed, script.path), seed, stop_limit_ms), turns)
    common = common_stops(t.played for t in turns.values())
    figures = {name: add_up(t.played, t.work, t.peak_mib, count_tokens, common) for name, t in turns.items()}
    return figures, {name: t.played for name, t in turns.items()}


def _turn(side: Side, player: Player, turns: dict[str, Turns]) -> None:
    """Let one side have the machine for one script, until it is quiet again."""
    so_far = turns[side.name]
    before, cpu_before_s = side.work(), spent(side.pid).cpu_s
    played = player.play()
    wait_quiet(side.pid)
    now = spent(side.pid)
    played.cpu_s = now.cpu_s - cpu_before_s
    so_far.work = so_far.work.plus(side.work().since(before))
    so_far.peak_mib = max(so_far.peak_mib, now.peak_mib)
    so_far.played.append(played)


def overview(played: Sequence[Played]) -> list[dict[str, Any]]:
    """Give, file by file, what a reader of the JSON needs to look closer; no text of the files."""
    return [
        {
            "path": one.path,
            "n_script_keys": one.n_script_keys,
            "n_typed_keys": one.n_typed_keys,
            "n_accepts": one.n_accepts,
            "n_accepted_chars": one.n_accepted_chars,
            "cpu_s": round(one.cpu_s, 2),
            "duration_s": round(one.duration_s, 1),
            "stops": [asdict(stop) | {"kind": stop.kind.value} for stop in one.stops],
            "n_pauses": len(one.pauses),
            "n_covered": sum(pause.is_covered for pause in one.pauses),
        }
        for one in played
    ]
