"""Run a finished document against its tests in its own language, shut in. Knows no model."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from fimble.eval.judge import Judgement
from fimble.eval.judge import judge as judge_python
from fimble.sandbox.outcome import Limits, Outcome, Verdict
from fimble.sandbox.process import run

LIMITS = Limits(wall_ms=60_000, cpu_ms=40_000, memory_bytes=2 << 30, n_processes=128, file_bytes_max=256 << 20)
# The tests of one benchmark compare with lodash; a deep comparison is all they use of it.
_LODASH = "const { isDeepStrictEqual } = require('util');\nmodule.exports = { isEqual: isDeepStrictEqual };\n"
_RUST_CRATES = re.compile(r"^use (?:rand|regex|md5)\b.*;\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Toolchain:
    """How a language is run: `needs` is looked for, `script` is run by `sh` in a folder that holds the files."""

    needs: tuple[str, ...]
    file_name: str
    script: str


_TOOLCHAINS = {
    "javascript": _Toolchain(("node",), "program.js", "node program.js"),
    "typescript": _Toolchain(
        ("tsc", "node"), "program.ts", "tsc --target es2020 --module commonjs program.ts; node program.js"
    ),
    "java": _Toolchain(("javac", "java"), "Main.java", "javac -nowarn Main.java && java -Xmx512m -cp . Main"),
    "cpp": _Toolchain(("g++",), "program.cpp", "g++ -std=c++17 -w program.cpp -o program && ./program"),
    "rust": _Toolchain(("rustc",), "program.rs", "rustc --test -A warnings program.rs -o program && ./program"),
    "go": _Toolchain(("go",), "main.go", "go run main.go"),
}


def missing(language: str, start: str = "") -> str:
    """Say what this machine lacks to run the language's tests; empty where it lacks nothing."""
    if language == "python":
        return ""
    toolchain = _TOOLCHAINS.get(language)
    if toolchain is None:
        return f"nothing runs {language}"
    absent = [name for name in toolchain.needs if shutil.which(name) is None]
    if not absent and "github.com/" in start:
        return "the tests need a Go module from the network"
    return f"not found: {', '.join(absent)}" if absent else ""


def judge(language: str, document: str, test: str, start: str = "") -> Judgement:
    """Run the document with its tests. Errors: FimbleError where programs cannot be run at all."""
    if language == "python":
        return (
            judge_python(document, test, "lambda *_: None")
            if "\ncheck(" not in test
            else _judge_checked(document, test)
        )
    toolchain = _TOOLCHAINS[language]
    files = {toolchain.file_name: _program(language, document, test, start)}
    if language == "javascript":
        files["node_modules/lodash/index.js"] = _LODASH
    outcome = run(["sh", "-c", toolchain.script], files, LIMITS, _environment(language))
    if outcome.passed and "console.assert" in test and "Assertion failed" in outcome.stderr:
        return Judgement(False, "AssertionError")
    return Judgement(True) if outcome.passed else Judgement(False, _failure(outcome))


def _environment(language: str) -> dict[str, str]:
    """Give what a toolchain must find although its home is another one: rustup's `rustc` only finds the real one."""
    home = Path(os.environ.get("RUSTUP_HOME") or Path.home() / ".rustup")
    return {"RUSTUP_HOME": str(home)} if language == "rust" and home.is_dir() else {}


def _judge_checked(document: str, test: str) -> Judgement:
    """Run tests that call `check` themselves; the end of the program must still be reached."""
    body, _, call = test.rstrip().rpartition("\n")
    name = re.fullmatch(r"check\((\w+)\)", call.strip())
    return judge_python(document, body if name else test, name.group(1) if name else "lambda *_: None")


def _program(language: str, document: str, test: str, start: str) -> str:
    if language == "rust":
        # The benchmark imports crates that most of its tasks never use.
        document = _RUST_CRATES.sub("", document)
    if language == "javascript" and (defined := re.match(r"const (test\w+) = ", test)):
        test += f"\n{defined.group(1)}()\n"
    return f"{start}{document}\n{test}\n"


def _failure(outcome: Outcome) -> str:
    if outcome.verdict is not Verdict.FAILED:
        return str(outcome.verdict.value)
    text = outcome.stderr + outcome.stdout
    if re.search(r"\berror(?:\[E\d+\])?: |error TS\d+", text) and "AssertionError" not in text:
        return "does-not-compile"
    return "AssertionError" if re.search(r"[Aa]ssert|panicked", text) else f"exit-code-{outcome.exit_code}"
