"""`fimble eval`: measure quality. Finds the evaluation; each one has its own file of the same shape as a command."""

from __future__ import annotations

import argparse

from fimble.cli import eval_fix, eval_functions, eval_infilling

SUMMARY = "Measure how good the answers are, on public benchmarks."
EPILOG = """examples:
  fimble eval infilling --data DIR --set single-line --limit 200 --seed 7
  fimble eval functions --data DIR --set humaneval
  fimble eval fix --data DIR --set python
  fimble eval functions --help
"""
EVALUATIONS = {"infilling": eval_infilling, "functions": eval_functions, "fix": eval_fix}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    subparsers = parser.add_subparsers(dest="evaluation", metavar="EVALUATION", required=True)
    for name, module in EVALUATIONS.items():
        child = subparsers.add_parser(
            name,
            help=module.SUMMARY,
            description=module.SUMMARY,
            epilog=module.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(child)
        child.set_defaults(run_evaluation=module.run)


def run(args: argparse.Namespace) -> int:
    return int(args.run_evaluation(args))
