"""`fimble eval functions` and `fimble eval fix`: arguments, progress on stderr, the summary on stdout."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fimble.cli.eval_infilling import _progress
from fimble.cli.number import count_from_1

if TYPE_CHECKING:
    from fimble.eval.functions import Finished

SUMMARY = "Whole functions from a docstring or comment, through the code action: pass@1."
EPILOG = """examples:
  fimble eval functions --data DIR --set humaneval
  fimble eval functions --data DIR --set humaneval-zh --candidates 4 --limit 40
  fimble eval functions --data DIR --set humaneval-xl:typescript:zh
  fimble eval functions --data DIR --set mbpp --model qwen2.5-coder-1.5b --json

With more than one candidate, an answer that fails verification, or the examples of its own docstring, is followed by
others; the tests of the benchmark play no part in the choice. A language whose toolchain is missing is reported as not
run. Generated programs run in a separate process with time and memory limits. Each result is filed at once; the same
command goes on where it was interrupted.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", default="humaneval", dest="set_name", metavar="SET", help="which tasks, see above")
    add_shared(parser)


def add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the benchmarks' files")
    parser.add_argument("--candidates", type=count_from_1, default=1, metavar="K", help="answers to choose from")
    parser.add_argument("--limit", type=count_from_1, metavar="N", help="how many tasks, drawn by the seed")
    parser.add_argument("--seed", type=int, default=7, metavar="S", help="seed of the draw (default: %(default)s)")
    parser.add_argument("--model", metavar="ID", help="model id as `fimble models list` shows it")
    parser.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="another setting; may be given again"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where results are filed (default: the user cache)")
    parser.add_argument("--fresh", action="store_true", help="forget filed results of this configuration")
    parser.add_argument("--show-failures", action="store_true", help="list the tasks that failed and how")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(args: argparse.Namespace) -> int:
    return run_action(args, "function")


def run_action(args: argparse.Namespace, action: str) -> int:
    from fimble.eval.functions import FunctionPlan, run_plan

    progress, on_result = _progress()
    with progress:
        plan = FunctionPlan(
            data_dir=args.data,
            action=action,
            set_name=args.set_name,
            n_candidates=args.candidates,
            n_tasks_max=args.limit,
            seed=args.seed,
            model=args.model,
            options=tuple(args.option),
            out=args.out,
            fresh=args.fresh,
        )
        finished = asyncio.run(run_plan(plan, on_result))
    if args.json:
        sys.stdout.write(json.dumps(_as_json(finished, args), indent=2, ensure_ascii=False) + "\n")
        return 0
    if finished.not_run:
        sys.stdout.write(f"{args.set_name}  not run: {finished.not_run}\n")
        return 0
    sys.stdout.write(_text(finished, args))
    sys.stderr.write(f"results: {finished.results_file}\n")
    return 0


def _as_json(finished: Finished, args: argparse.Namespace) -> dict[str, Any]:
    document: dict[str, Any] = {
        "config": finished.config,
        "not_run": finished.not_run or None,
        "results_file": str(finished.results_file) if finished.results_file else None,
        "summary": dataclasses.asdict(finished.summary),
    }
    if args.show_failures:
        document["failures"] = [dataclasses.asdict(r) for r in finished.results if not r.passed]
    return document


def _text(finished: Finished, args: argparse.Namespace) -> str:
    summary, passed = finished.summary, finished.summary.passed
    lines = [
        f"{finished.config['model']}  {args.set_name}  {args.candidates} candidates",
        f"  pass@1          {passed.share:6.1%}  ({passed.n} of {passed.n_all}; "
        f"95 % interval {passed.low:.1%} to {passed.high:.1%})",
        f"  time            p50 {summary.p50_ms / 1000:.1f} s, p95 {summary.p95_ms / 1000:.1f} s",
        f"  decoded         {summary.n_decoded_tokens} tokens",
        f"  not applied     {summary.n_declined}",
    ]
    for title, counts in (("refused", summary.declines), ("failed", summary.failures)):
        if counts:
            lines.append(f"  {title:<15} " + ", ".join(f"{name} {n}" for name, n in counts.items()))
    if args.show_failures:
        lines += [f"{r.task_id}  {r.failure}  {r.declined}".rstrip() for r in finished.results if not r.passed]
    return "\n".join(lines) + "\n"
