"""`fimble eval infilling`: arguments, progress on stderr, the summary on stdout. The work is in `fimble.eval`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fimble.cli.eval_report import (
    add_result_arguments,
    add_task_arguments,
    counts_lines,
    failures_of,
    progress_of_tasks,
    share_text,
    write_json,
)
from fimble.manifest import FIM_LAYOUTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fimble.eval.result_log import TaskResult
    from fimble.eval.summary import Summary

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
    add_task_arguments(parser)
    parser.add_argument("--layout", choices=FIM_LAYOUTS, help="prompt layout instead of the model's own")
    parser.add_argument("--compute-type", metavar="TYPE", help="CTranslate2 compute type (`int8`, `float32`, …)")
    parser.add_argument("--bare", action="store_true", help="ask the model itself, without the completion service")
    add_result_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from fimble.eval.session import Plan, run_plan

    progress, on_result = progress_of_tasks()
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
    failures = failures_of(finished.results, args.show_failures)
    if args.json:
        write_json(finished.config, finished.summary, failures, results_file=str(finished.results_file))
    else:
        sys.stdout.write(_text(finished.config, finished.summary))
        sys.stdout.write(_failures(failures or ()))
        sys.stderr.write(f"results: {finished.results_file}\n")
    return 0


def _text(config: dict[str, Any], summary: Summary) -> str:
    how = "bare model" if config["mode"] == "bare" else "completion service"
    lines = [
        f"{config['model']}  {config['set']}  {how}, layout {config['layout']}",
        f"  pass@1          {share_text(summary.passed)}",
        f"  exact match     {share_text(summary.exact)}",
        f"  time            p50 {summary.p50_ms:.0f} ms, p95 {summary.p95_ms:.0f} ms",
        f"  decoded         {summary.n_decoded_tokens} tokens",
        f"  nothing shown   {summary.n_declined} ({summary.n_passed_unanswered} passed without an answer)",
    ]
    lines += counts_lines(("declined", summary.declines), ("failed", summary.failures), ("filters", summary.filters))
    return "\n".join(lines) + "\n"


def _failures(failures: Sequence[TaskResult]) -> str:
    lines = [
        f"{r.task_id}  {r.failure}" + (f"  declined: {r.declined}" if r.declined else f"  {r.text!r}") for r in failures
    ]
    return "\n".join(lines) + "\n" if lines else ""
