"""Run the examples of a comment or docstring against a result, shut in. Only when the user allows it."""

from __future__ import annotations

import doctest
import json
import sys
from dataclasses import dataclass

from fimble.sandbox.outcome import Limits
from fimble.sandbox.process import run

LIMITS = Limits(wall_ms=10_000, cpu_ms=5_000, memory_bytes=1 << 30, address_space_bytes=4 << 30)
EXAMPLES_MAX = 20

# Prints how many examples agree. An example that raises, or ends the program, counts as one that does not.
_RUNNER = """
import contextlib, doctest, io, json, os
examples = json.load(open("examples.json", encoding="utf-8"))
scope = {"__name__": "candidate"}
with contextlib.redirect_stdout(io.StringIO()):
    exec(compile(open("candidate.py", encoding="utf-8").read(), "candidate.py", "exec"), scope)
checker, n_passed = doctest.OutputChecker(), 0
flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
for source, want in examples:
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            exec(compile(source, "<example>", "single"), scope)
    except Exception:
        continue
    got = said.getvalue()
    same = checker.check_output(want, got, flags)
    if not same:
        try:
            same = eval(want, {}) == eval(got, {})
        except Exception:
            same = False
    n_passed += same
print("passed", n_passed, flush=True)
os._exit(86)
"""
_EXIT_RAN = 86


@dataclass(frozen=True, slots=True)
class ExampleRun:
    """How many examples agree with the result; `problem` is why none could be run."""

    n_passed: int
    n_all: int
    problem: str = ""


def find(text: str, language: str) -> list[tuple[str, str]]:
    """Give the doctest examples in `text` that expect something, as source and output; Python only."""
    if language != "python":
        return []
    try:
        examples = doctest.DocTestParser().get_examples(_shown(text))
    except ValueError:
        return []
    return [(e.source, e.want) for e in examples if e.want.strip()][:EXAMPLES_MAX]


def _shown(text: str) -> str:
    """Give the text without what stands before prompts in a comment, so that doctest sees them."""
    lines = (
        line.lstrip().removeprefix("#").removeprefix(" ") if ">>>" in text and line.lstrip().startswith("#") else line
        for line in text.split("\n")
    )
    # The closing quotes of a docstring would be read as expected output.
    return "\n".join(lines).replace('"""', "\n").replace("'''", "\n")


def check(program: str, examples: list[tuple[str, str]]) -> ExampleRun:
    """Run the examples against `program`. Blocks: call it on a thread."""
    outcome = run(
        [sys.executable, "-I", "-B", "run.py"],
        {"candidate.py": program, "examples.json": json.dumps(examples), "run.py": _RUNNER},
        LIMITS,
    )
    if outcome.exit_code == _EXIT_RAN:
        last = outcome.stdout.strip().rpartition(" ")[2]
        return ExampleRun(min(int(last), len(examples)) if last.isdigit() else 0, len(examples))
    reason = outcome.stderr.strip().splitlines()[-1:] or [outcome.verdict.value]
    return ExampleRun(0, len(examples), reason[0][:200])
