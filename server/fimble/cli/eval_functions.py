"""`fimble eval functions` and `fimble eval fix`: arguments, progress on stderr, the summary on stdout."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fimble.cli.eval_report import (
    add_result_arguments,
    add_task_arguments,
    counts_lines,
    failures_of,
    progress_of_tasks,
    share_text,
    write_json,
)
from fimble.cli.number import count_from_1

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fimble.eval.functions import Finished
    from fimble.eval.result_log import TaskResult

SUMMARY = "Whole functions from a docstring or comment, through the code action: pass@1."
EPILOG = """examples:
  fimble eval functions --data DIR --set humaneval
  fimble eval functions --data DIR --set humaneval --candidates 4 --run-examples
  fimble eval functions --data DIR --set humaneval-zh --limit 40
  fimble eval functions --data DIR --set humaneval-xl:typescript:zh
  fimble eval functions --data DIR --set mbpp --model qwen2.5-coder-1.5b --json

With more than one candidate, an answer that fails verification is followed by others; with `--run-examples`, one that
fails the examples of its own docstring too (Python; doctests, and what prose says in a form that can be read in one
way). The tests of the benchmark play no part in the choice. A language whose toolchain is missing is reported as not
run. Generated programs run in a separate process with time and memory limits. Each result is filed at once; the same
command goes on where it was interrupted.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", default="humaneval", dest="set_name", metavar="SET", help="which tasks, see above")
    add_shared(parser)


def add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the benchmarks' files")
    parser.add_argument("--candidates", type=count_from_1, default=1, metavar="K", help="answers to choose from")
    parser.add_argument("--run-examples", action="store_true", help="choose by the examples of the task's own text")
    add_task_arguments(parser)
    add_result_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_action(args, "function")


def run_action(args: argparse.Namespace, action: str) -> int:
    from fimble.eval.functions import FunctionPlan, run_plan

    progress, on_result = progress_of_tasks()
    with progress:
        plan = FunctionPlan(
            data_dir=args.data,
            action=action,
            set_name=args.set_name,
            n_candidates=args.candidates,
            run_examples=args.run_examples,
            n_tasks_max=args.limit,
            seed=args.seed,
            model=args.model,
            options=tuple(args.option),
            out=args.out,
            fresh=args.fresh,
        )
        finished = asyncio.run(run_plan(plan, on_result))
    failures = failures_of(finished.results, args.show_failures)
    if args.json:
        write_json(
            finished.config,
            finished.summary,
            failures,
            not_run=finished.not_run or None,
            results_file=str(finished.results_file) if finished.results_file else None,
        )
        return 0
    if finished.not_run:
        sys.stdout.write(f"{args.set_name}  not run: {finished.not_run}\n")
        return 0
    sys.stdout.write(_text(finished, args, failures or ()))
    sys.stderr.write(f"results: {finished.results_file}\n")
    return 0


def _text(finished: Finished, args: argparse.Namespace, failures: Sequence[TaskResult]) -> str:
    summary = finished.summary
    lines = [
        f"{finished.config['model']}  {args.set_name}  {args.candidates} candidates"
        + (", chosen by examples" if args.run_examples else ""),
        f"  pass@1          {share_text(summary.passed)}",
        f"  time            p50 {summary.p50_ms / 1000:.1f} s, p95 {summary.p95_ms / 1000:.1f} s",
        f"  decoded         {summary.n_decoded_tokens} tokens",
        f"  not applied     {summary.n_declined}",
    ]
    if args.candidates > 1:
        again = [result for result in finished.results if result.trace.get("n_candidates", 1) > 1]
        lines.append(f"  asked for more  {len(again)}, of which {sum(r.passed for r in again)} passed")
    lines += counts_lines(("refused", summary.declines), ("failed", summary.failures))
    lines += [f"{r.task_id}  {r.failure}  {r.declined}".rstrip() for r in failures]
    return "\n".join(lines) + "\n"
