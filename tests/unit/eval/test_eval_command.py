"""`fimble eval infilling` as a person runs it, with a scripted engine and made-up tasks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fimble.cli.main import main

# name, what stands where the hole is, what the script answers there, whether that is right
CASES = [
    ("plus", "    total = a + b\n", "    total = a + b", True),
    ("minus", "    total = a - b\n", "    total = b - a", False),
    ("times", "    total = a * b\n", "    total = b * a", True),
    ("power", "    total = a ** b\n", None, False),
]
VALUES = {"plus": 9, "minus": 5, "times": 14, "power": 49}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    tasks = [
        {
            "task_id": f"made-up/{name}",
            "entry_point": name,
            "prompt": f"def {name}(a, b):\n",
            "suffix": "    return total\n",
            "canonical_solution": solution,
            "test": f"def check(candidate):\n    assert candidate(7, 2) == {VALUES[name]}\n",
        }
        for name, solution, _, _ in CASES
    ]
    text = "".join(json.dumps(task) + "\n" for task in tasks)
    (tmp_path / "HumanEval-SingleLineInfilling.jsonl").write_text(text)
    return tmp_path


@pytest.fixture(autouse=True)
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "script.json"
    answers = [{"text": answer, "when": f"def {name}("} for name, _, answer, _ in CASES if answer is not None]
    path.write_text(json.dumps({"answers": answers}))
    monkeypatch.setenv("FIMBLE_SCRIPT", str(path))
    monkeypatch.setenv("FIMBLE_DATA_DIR", str(tmp_path / "models"))
    return path


@dataclass(frozen=True)
class Run:
    """What a shell would see of one command."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture
def evaluate(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    def run(*more: str) -> Run:
        command = ["eval", "infilling", "--data", str(data_dir), "--set", "single-line"]
        # The script has one answer a task; a second opinion would be that answer with a number behind it.
        options = ["--option", "engine=scripted", "--option", "n_second_opinions=0"]
        options += ["--out", str(data_dir / "out" / "results.jsonl")]
        try:
            code = main([*command, *options, *more])
        except SystemExit as exit_by_argparse:
            code = int(exit_by_argparse.code or 0)
        captured = capsys.readouterr()
        return Run(code, captured.out, captured.err)

    return run


def report_of(run: Run) -> dict[str, Any]:
    assert run.code == 0, run.stderr
    return json.loads(run.stdout)


def filed(data_dir: Path) -> list[dict[str, Any]]:
    lines = (data_dir / "out" / "results.jsonl").read_text().splitlines()
    return [record for line in lines if "task_id" in (record := json.loads(line))]


def test_scripted_run_gives_the_right_figures(data_dir: Path, evaluate):
    report = report_of(evaluate("--json", "--show-failures"))
    summary = report["summary"]
    assert (summary["passed"]["n"], summary["passed"]["n_all"]) == (2, 4)
    assert summary["exact"]["n"] == 1
    assert summary["declines"] == {"empty-answer": 1}
    assert {failure["task_id"]: failure["failure"] for failure in report["failures"]} == {
        "made-up/minus": "AssertionError",
        "made-up/power": "NameError",
    }
    assert (report["config"]["mode"], report["config"]["layout"]) == ("service", "spm2")


def test_service_answers_go_through_its_filters(data_dir: Path, evaluate, script: Path):
    """What the model writes on past the line is cut by the service; the bare model's answer is cut to its line."""
    answers = [{"text": f"{text}\n    return total\n" * 2} for _, _, text, _ in CASES[:1]]
    script.write_text(json.dumps({"answers": answers}))
    for more in ([], ["--bare"]):
        report_of(evaluate("--json", *more))
    texts = {record["text"] for record in filed(data_dir)}
    assert texts == {"    total = a + b", "    total = a + b\n"}


def test_second_run_asks_only_what_is_missing(data_dir: Path, evaluate):
    report_of(evaluate("--json"))
    results = data_dir / "out" / "results.jsonl"
    lines = results.read_text().splitlines(keepends=True)
    # As after a crash while the last result was written.
    results.write_text("".join(lines[:-1]) + lines[-1][:20])
    kept = [record["task_id"] for record in map(json.loads, lines[:-1]) if "task_id" in record]
    report = report_of(evaluate("--json"))
    assert report["summary"]["passed"]["n_all"] == 4
    whole = [line for line in results.read_text().splitlines() if line.endswith("}")]
    asked = [json.loads(line)["task_id"] for line in whole if "task_id" in line]
    assert len(kept) == 3
    assert sorted(asked) == sorted(f"made-up/{name}" for name, *_ in CASES)


def test_other_layout_is_another_configuration(data_dir: Path, evaluate):
    first = report_of(evaluate("--json", "--limit", "1"))
    second = report_of(evaluate("--json", "--limit", "1", "--layout", "psm"))
    assert second["config"]["layout"] == "psm"
    assert len(filed(data_dir)) == 2
    assert first["config"]["settings"] == second["config"]["settings"]


def test_summary_is_on_stdout_and_the_rest_on_stderr(data_dir: Path, evaluate):
    run = evaluate()
    assert "pass@1" in run.stdout
    assert "50.0%  (2 of 4;" in run.stdout
    assert "results:" in run.stderr
    assert "results:" not in run.stdout


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--option", "no_such=1"], 2, "no_such"),
        (["--option", "nonsense"], 2, "KEY=VALUE"),
        (["--limit", "0"], 2, "at least 1"),
        (["--set", "random-span"], 1, "hint: give the folder"),
        (["--option", "engine=ctranslate2", "--model", "no-such-model"], 1, "no-such-model"),
    ],
)
def test_bad_use_is_named(evaluate, more: list[str], code: int, said: str):
    run = evaluate(*more)
    assert (run.code, run.stdout) == (code, "")
    assert said in run.stderr
