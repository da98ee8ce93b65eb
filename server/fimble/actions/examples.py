"""Run the examples of a comment or docstring against a result, shut in. Only when the user allows it."""

from __future__ import annotations

import ast
import doctest
import json
import sys
from dataclasses import asdict, dataclass

from fimble.actions import prose_examples
from fimble.sandbox.outcome import Limits
from fimble.sandbox.process import run

LIMITS = Limits(wall_ms=10_000, cpu_ms=5_000, memory_bytes=1 << 30, address_space_bytes=4 << 30)
EXAMPLES_MAX = 20

# Says of each example whether it agrees; one that raises counts as one that does not. What agrees up to the digits
# that a text shows agrees: nobody writes out all of a fraction.
_RUNNER = """
import contextlib, doctest, io, json, math, os
examples = json.load(open("examples.json", encoding="utf-8"))
scope = {"__name__": "candidate"}
with contextlib.redirect_stdout(io.StringIO()):
    exec(compile(open("candidate.py", encoding="utf-8").read(), "candidate.py", "exec"), scope)
checker = doctest.OutputChecker()
flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
print("ready", flush=True)

def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)

def says(source, want, said):
    with contextlib.redirect_stdout(said):
        exec(compile(source, "<example>", "single"), scope)
    got = said.getvalue()
    return checker.check_output(want, got, flags) or eval(want, {}) == eval(got, {})

def gives(source, want):
    with contextlib.redirect_stdout(io.StringIO()):
        got = eval(compile(source, "<example>", "eval"), scope)
    value = eval(want, {})
    if is_number(got) and is_number(value) and "." in want:
        n_digits = len(want.strip().rpartition(".")[2])
        return math.isclose(got, value, abs_tol=0.5 * 10**-n_digits)
    return got == value

for example in examples:
    try:
        source, want = example["source"], example["want"]
        agrees = gives(source, want) if example["in_prose"] else says(source, want, io.StringIO())
    except Exception:
        agrees = False
    print("example", int(bool(agrees)), flush=True)
os._exit(86)
"""
_EXIT_RAN = 86
_NOT_HERE = ("ModuleNotFoundError:", "ImportError:")


@dataclass(frozen=True, slots=True)
class Example:
    """A call, or a doctest's statement, and what it should give. `in_prose`: read out of a sentence."""

    source: str
    want: str
    in_prose: bool = False


@dataclass(frozen=True, slots=True)
class ExampleRun:
    """Which examples agree with the result. `problem` is why none could be run.

    `is_blind`: the program needs a module that only its own environment has; that says nothing of it.
    """

    agrees: tuple[bool, ...]
    problem: str = ""
    is_blind: bool = False


def find(text: str, program: str, name: str, language: str) -> list[Example]:
    """Give the doctests in `text`, and the examples that its prose gives of the function `name`; Python only.

    `program` is where the function is defined: prose may name arguments alone.
    """
    if language != "python":
        return []
    plain = _shown(text)
    try:
        doctests = doctest.DocTestParser().get_examples(plain)
    except ValueError:
        doctests = []
    found = [Example(e.source, e.want) for e in doctests if e.want.strip()]
    parameters = _parameters(program, name)
    if parameters is not None:
        found += [Example(*e, in_prose=True) for e in prose_examples.find(plain, name, parameters)]
    return found[:EXAMPLES_MAX]


def _parameters(program: str, name: str) -> list[str] | None:
    """Give the parameters of a function that can be called by its name alone."""
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
    return None


def _shown(text: str) -> str:
    """Give the text without what stands before lines of a comment, so that doctest sees prompts."""
    lines = (
        line.lstrip().removeprefix("#").removeprefix(" ") if line.lstrip().startswith("#") else line
        for line in text.split("\n")
    )
    # The closing quotes of a docstring would be read as expected output.
    return "\n".join(lines).replace('"""', "\n").replace("'''", "\n")


def check(program: str, examples: list[Example]) -> ExampleRun:
    """Run the examples against `program`. Blocks: call it on a thread."""
    outcome = run(
        [sys.executable, "-I", "-B", "run.py"],
        {"candidate.py": program, "examples.json": json.dumps([asdict(e) for e in examples]), "run.py": _RUNNER},
        LIMITS,
    )
    lines = outcome.stdout.splitlines()
    agrees = [line == "example 1" for line in lines if line.startswith("example ")][: len(examples)]
    whole = tuple(agrees) + (False,) * (len(examples) - len(agrees))
    if outcome.exit_code == _EXIT_RAN:
        return ExampleRun(whole)
    last = (outcome.stderr.strip().splitlines() or [outcome.verdict.value])[-1]
    blind = "ready" not in lines and last.startswith(_NOT_HERE)
    return ExampleRun(whole, last[:200], blind)
