"""What the evaluations' commands have in common: arguments, progress on stderr, the summary's form. No evaluation."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fimble.cli.number import count_from_1

if TYPE_CHECKING:
    from fimble.eval.result_log import TaskResult
    from fimble.eval.summary import Share, Summary


def add_task_arguments(parser: argparse.ArgumentParser) -> None:
    """Say which tasks are drawn, and for which model."""
    parser.add_argument(
        "--limit", type=count_from_1, metavar="N", help="how many tasks, drawn by the seed (default: all)"
    )
    parser.add_argument("--seed", type=int, default=7, metavar="S", help="seed of the draw (default: %(default)s)")
    parser.add_argument("--model", metavar="ID", help="model id as `fimble models list` shows it")


def add_result_arguments(parser: argparse.ArgumentParser) -> None:
    """Say with which settings tasks are run, where results are filed and how they are shown."""
    parser.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="another setting; may be given again"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where results are filed (default: the user cache)")
    parser.add_argument("--fresh", action="store_true", help="forget filed results of this configuration")
    parser.add_argument("--show-failures", action="store_true", help="list the tasks that failed and how")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def write_json(
    config: Mapping[str, Any],
    summary: Summary,
    failures: Sequence[TaskResult] | None,
    **more: Any,
) -> None:
    """Print the summary for a script; `failures` None leaves them out."""
    document: dict[str, Any] = {"config": config, **more, "summary": dataclasses.asdict(summary)}
    if failures is not None:
        document["failures"] = [dataclasses.asdict(result) for result in failures]
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def failures_of(results: Sequence[TaskResult], show: bool) -> list[TaskResult] | None:
    """Give the tasks that failed, or None where they are not to be listed."""
    return [result for result in results if not result.passed] if show else None


def share_text(share: Share) -> str:
    return f"{share.share:6.1%}  ({share.n} of {share.n_all}; 95 % interval {share.low:.1%} to {share.high:.1%})"


def counts_lines(*titled: tuple[str, Mapping[str, int]]) -> list[str]:
    """Give one line for each title that has counts."""
    return [
        f"  {title:<15} " + ", ".join(f"{name} {n}" for name, n in counts.items()) for title, counts in titled if counts
    ]


def progress_of_tasks() -> tuple[Any, Any]:
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
