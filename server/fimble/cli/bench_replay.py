"""`fimble bench replay`: arguments, progress on stderr, the table on stdout. The work is in `fimble.bench.replay`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

from fimble.cli.number import count_from_1
from fimble.cli.setting_flags import add_setting_flags, flagged_options
from fimble.cli.whole_file import write_whole
from fimble.errors import UsageError

SIDES = ("fimble", "naive", "llama-cpp")
DESCRIPTION = """Type real files with a human rhythm, key by key and in real time, into several ways to get ghost text.
Each side's process lives through the run; the sides take turns file by file. Nine files and three sides take about
half an hour on an otherwise idle machine, on which alone times mean anything."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="JSON lines: path, language, text")
    parser.add_argument("--side", action="append", choices=SIDES, dest="sides", help="repeatable (default: fimble)")
    parser.add_argument("--files", type=count_from_1, metavar="N", help="how many, drawn by the seed (default: all)")
    parser.add_argument("--chars", type=count_from_1, default=240, metavar="N", help="typed per file (default: 240)")
    parser.add_argument("--stops", type=int, default=15, metavar="N", help="waits per file, about (default: 15)")
    parser.add_argument("--typist", type=Path, metavar="FILE", help="TOML with times of another typist")
    parser.add_argument("--seed", type=int, default=7, metavar="S", help="seed of what is drawn (default: 7)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write figures and every stop as JSON")
    parser.add_argument("--plot", type=Path, metavar="OUT", help="also draw a PNG (needs `fimble[bench]`)")
    parser.add_argument("--gguf", type=Path, metavar="FILE", help="the model's GGUF file, for the side llama-cpp")
    parser.add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="NAME:KEY=VALUE,…",
        help="one more side fimble with options that differ, to see what a trick is worth; repeatable",
    )
    add_setting_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Replay and print the table (with `--json`: the figures)."""
    from rich.console import Console

    from fimble.bench import machine
    from fimble.bench.replay import plan as plans
    from fimble.bench.replay import plot, script, table
    from fimble.bench.replay import run as replay
    from fimble.bench.replay.rhythm import read_typist

    plan = plans.Plan(
        sides=tuple(dict.fromkeys(args.sides or ["fimble"])),
        options=flagged_options(args),
        variants=dict(plans.read_variant(text) for text in args.variant),
        gguf=args.gguf,
        seed=args.seed,
    )
    typist = read_typist(args.typist)
    if args.json is not None and not args.json.absolute().parent.is_dir():
        raise UsageError(f"there is no folder for `{args.json}`")
    if args.plot is not None:
        plot.check(args.plot)
    files = script.draw_files(script.load(args.data), args.files, args.seed)
    scripts = [script.make_script(file, args.chars, args.stops, args.seed) for file in files]
    made = plans.make_sides(plan)
    described, count_tokens, started_at_s = machine.describe(), plans.token_counter(plan), time.monotonic()
    described["calibrated"] = plans.is_calibrated(plan)
    if "llama-cpp" in plan.sides:
        described["llama-cpp"] = plans.llama_version()
    with Console(stderr=True).status("starting the sides") as status:

        def on_turn(side: str, path: str, n_done: int, n_all: int) -> None:
            spent_s = time.monotonic() - started_at_s
            status.update(f"{n_done + 1} of {n_all}, {spent_s / 60:.0f} min: {side} types {Path(path).name}")

        sides, played = replay.play(made, scripts, typist, args.seed, count_tokens, on_turn)
    document: dict[str, Any] = {
        "bench": "replay",
        "machine": described,
        "seed": args.seed,
        "options": dict(plan.options),
        "variants": {name: dict(changed) for name, changed in plan.variants.items()},
        "typist": dataclasses.asdict(typist),
        "sides": {name: dataclasses.asdict(figures) for name, figures in sides.items()},
        "files": {name: replay.overview(rows) for name, rows in played.items()},
    }
    if args.json is not None:
        write_whole(args.json, json.dumps(document, indent=2) + "\n")
    if args.plot is not None:
        plot.draw(args.plot, sides, played)
    sys.stdout.write(table.render(sides))
    sys.stdout.write("".join(f"{key:<13} {value}\n" for key, value in described.items()))
    return 0
