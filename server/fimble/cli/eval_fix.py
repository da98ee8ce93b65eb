"""`fimble eval fix`: bugs mended by the code action, on HumanEvalFix. Shares everything else with `eval functions`."""

from __future__ import annotations

import argparse

from fimble.cli import eval_functions

SUMMARY = "Bugs in single functions, through the fix action: pass@1 on HumanEvalFix."
EPILOG = """examples:
  fimble eval fix --data DIR --set python
  fimble eval fix --data DIR --set java --limit 40 --candidates 4
  fimble eval fix --data DIR --set python --candidates 4 --run-examples

The action sees the function with its description, not the tests.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set", choices=("python", "js", "go", "java"), default="python", dest="set_name", help="which language"
    )
    eval_functions.add_shared(parser)


def run(args: argparse.Namespace) -> int:
    return eval_functions.run_action(args, "fix")
