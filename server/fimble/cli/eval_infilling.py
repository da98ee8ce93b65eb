"""`fimble eval infilling`: arguments, progress on stderr, the summary on stdout. The work is in `fimble.eval`."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fimble.cli.number import count_from_1
from fimble.manifest import FIM_LAYOUTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fimble.eval.result_log import TaskResult
    from fimble.eval.summary import Share, Summary

SUMMARY = "Fill-in-the-middle: pass@1 and exact match on HumanEval-Infilling."
EPILOG = """examples:
  fimble eval infilling --data DIR --set single-line --limit 200 --seed 7
  fimble eval infilling --data DIR --set multi-line --limit 100 --show-failures
  fimble eval infilling --data DIR --set single-line --bare --layout psm
  fimble eval infilling --data DIR --option prefix_tokens_max=512 --json

DIR holds the files of openai/human-eval-infilling (`HumanEval-SingleLineInfilling.jsonl.gz`, …), or has them in
a folder `infilling`. Answers are run in a separate process with time and memory limits, without network where
the system allows it. Each result is filed at once; the same command goes on where it was interrupted. Results
are filed under the settings, the model's files and fimble's own code: change one, and tasks are asked again.
"""
SETS = ("single-line", "multi-line", "random-span", "random-span-light")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the benchmark's files")
    parser.add_argument("--set", choices=SETS, default="single-line", dest="set_name", help="which tasks")
    parser.add_argument(
        "--limit", type=count_from_1, metavar="N", help="how many tasks, drawn by the seed (default: all)"
    )
    parser.add_argument("--seed", type=int, default=7, metavar="S", help="seed of the draw (default: %(default)s)")
    parser.add_argument("--model", metavar="ID", help="model id as `fimble models list` shows it")
    parser.add_argument("--layout", choices=FIM_LAYOUTS, help="prompt layout instead of the model's own")
    parser.add_argument("--compute-type", metavar="TYPE", help="CTranslate2 compute type (`int8`, `float32`, …)")
    parser.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="another setting; may be given again"
    )
    parser.add_argument("--bare", action="store_true", help="ask the model itself, without the completion service")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where results are filed (default: the user cache)")
    parser.add_argument("--fresh", action="store_true", help="forget filed results of this configuration")
    parser.add_argument("--show-failures", action="store_true", help="list the tasks that failed and how")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(args: argparse.Namespace) -> int:
    from fimble.eval.session import Plan, run_plan

    progress, on_result = _progress()
    with progress:
        plan = Plan(
            data_dir=args.data,
            set_name=args.set_name,
            n_tasks_max=args.limit,
            seed=args.seed,
            model=args.model,
            layout=args.layout,
            compute_type=args.compute_type,
            options=tuple(args.option),
            bare=args.bare,
            out=args.out,
            fresh=args.fresh,
        )
        finished = asyncio.run(run_plan(plan, on_result))
    if args.json:
        document: dict[str, Any] = {
            "config": finished.config,
            "results_file": str(finished.results_file),
            "summary": dataclasses.asdict(finished.summary),
        }
        if args.show_failures:
            document["failures"] = [dataclasses.asdict(r) for r in finished.results if not r.passed]
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(_text(finished.config, finished.summary))
        if args.show_failures:
            sys.stdout.write(_failures(finished.results))
        sys.stderr.write(f"results: {finished.results_file}\n")
    return 0


def _progress() -> tuple[Any, Any]:
    """Give a progress bar on stderr and what feeds it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    bar = progress.add_task("loading the model", total=None)
    n_passed = n_done = 0

    def on_result(result: TaskResult, known: bool, n_tasks: int) -> None:
        nonlocal n_passed, n_done
        n_done += 1
        n_passed += result.passed
        shown = f"{n_passed} passed" + (", resumed" if known else "")
        progress.update(bar, total=n_tasks, completed=n_done, description=shown)
        # Where no bar can be drawn, a line every tenth of the way.
        if not console.is_terminal and n_done % max(1, n_tasks // 10) == 0:
            console.print(f"{n_done} of {n_tasks}: {shown}")

    return progress, on_result


def _text(config: dict[str, Any], summary: Summary) -> str:
    how = "bare model" if config["mode"] == "bare" else "completion service"
    lines = [
        f"{config['model']}  {config['set']}  {how}, layout {config['layout']}",
        f"  pass@1          {_share(summary.passed)}",
        f"  exact match     {_share(summary.exact)}",
        f"  time            p50 {summary.p50_ms:.0f} ms, p95 {summary.p95_ms:.0f} ms",
        f"  decoded         {summary.n_decoded_tokens} tokens",
        f"  nothing shown   {summary.n_declined} ({summary.n_passed_unanswered} passed without an answer)",
    ]
    for title, counts in (("declined", summary.declines), ("failed", summary.failures), ("filters", summary.filters)):
        if counts:
            lines.append(f"  {title:<15} " + ", ".join(f"{name} {n}" for name, n in counts.items()))
    return "\n".join(lines) + "\n"


def _share(share: Share) -> str:
    return f"{share.share:6.1%}  ({share.n} of {share.n_all}; 95 % interval {share.low:.1%} to {share.high:.1%})"


def _failures(results: Sequence[TaskResult]) -> str:
    lines = [
        f"{r.task_id}  {r.failure}" + (f"  declined: {r.declined}" if r.declined else f"  {r.text!r}")
        for r in results
        if not r.passed
    ]
    return "\n".join(lines) + "\n" if lines else ""
