"""Run a finished document against its tests, shut in, and name how it failed. Knows no model."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from fimble.sandbox.outcome import Limits, Outcome, Verdict
from fimble.sandbox.process import run

# The benchmark's own harness stops after 3 s (openai/human-eval-infilling: execution.py). CPU time is what
# counts here, so that a busy machine does not fail a right answer.
LIMITS = Limits(wall_ms=20_000, cpu_ms=4_000, memory_bytes=1 << 30, address_space_bytes=4 << 30)
# Said by the program's last line; 0 would also be said by an answer that ends the program.
EXIT_REACHED_END = 86
_EXCEPTION_LINE = re.compile(r"^(?:\w+\.)*(\w*(?:Error|Exception|Exit|Interrupt|Iteration|Warning))(?::|$)")


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether the tests passed; else `failure`: an exception's name, a limit, or `exited-early`."""

    passed: bool
    failure: str = ""


def judge(document: str, test: str, entry_point: str) -> Judgement:
    """Run `document`, then `test`, then `check(entry_point)`.

    A program passes only if it reached its own last line: one that exits with 0 on the way does not.
    Errors: FimbleError where programs cannot be run at all.
    """
    program = f"{document}\n{test}\ncheck({entry_point})\n__import__('os')._exit({EXIT_REACHED_END})\n"
    outcome = run([sys.executable, "-I", "-B", "program.py"], {"program.py": program}, LIMITS)
    if outcome.exit_code == EXIT_REACHED_END:
        return Judgement(True)
    return Judgement(False, "exited-early" if outcome.passed else _failure(outcome))


def _failure(outcome: Outcome) -> str:
    if outcome.verdict is not Verdict.FAILED:
        return str(outcome.verdict.value)
    # From the end: the message after an exception's name may have lines of its own.
    names = (_EXCEPTION_LINE.match(line) for line in reversed(outcome.stderr.split("\n")))
    return next((str(match.group(1)) for match in names if match), f"exit-code-{outcome.exit_code}")
