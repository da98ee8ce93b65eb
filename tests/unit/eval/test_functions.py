"""`fimble eval functions` and `fimble eval fix` with a scripted engine and made-up tasks."""

from __future__ import annotations

import asyncio
import json

import pytest

from fimble.cli.main import main
from fimble.eval import function_judge
from fimble.eval.function_task import load
from fimble.eval.functions import FunctionPlan, run_plan

TASKS = [
    ("twice", "x * 2", True),
    ("thrice", "x * 2", False),
    ("broken", "(x", False),
]


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("FIMBLE_SCRIPT", str(tmp_path / "script.json"))
    rows, answers = [], []
    for name, body, _ in TASKS:
        factor = {"twice": 2, "thrice": 3, "broken": 1}[name]
        prompt = f'def {name}(x):\n    """Give {factor} times x.\n\n    >>> {name}(2)\n    {2 * factor}\n    """\n'
        test = f"def check(candidate):\n    assert candidate(5) == {5 * factor}\n"
        buggy = "    return x - 1\n"
        rows.append(
            {"task_id": f"made-up/{name}", "entry_point": name, "prompt": prompt, "test": test, "buggy_solution": buggy}
        )
        answers.append({"text": f"    return {body}\n```\n", "when": f"def {name}(", "times": 1})
        answers.append({"text": f"    return x * {factor}\n```\n", "when": f"def {name}("})
    (tmp_path / "HumanEval.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (tmp_path / "humanevalpack_python.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (tmp_path / "script.json").write_text(json.dumps({"answers": answers}))
    return tmp_path


@pytest.fixture
def evaluate(data_dir, tmp_path, capfd):
    def run(name, *arguments):
        shared = ["--data", str(data_dir), "--json", "--show-failures", "--option", "engine=scripted"]
        code = main(["eval", name, *shared, "--out", str(tmp_path / "out.jsonl"), *arguments])
        return code, json.loads(capfd.readouterr().out)

    return run


def test_one_candidate(evaluate):
    code, said = evaluate("functions")
    assert code == 0 and said["summary"]["passed"]["n"] == 1
    reasons = {f["task_id"]: (f["failure"], f["declined"]) for f in said["failures"]}
    assert reasons == {
        "made-up/thrice": ("AssertionError", ""),
        "made-up/broken": ("refused", "does-not-parse"),
    }


def test_more_candidates_are_chosen_by_the_tasks_own_examples(evaluate):
    assert evaluate("functions", "--candidates", "2", "--run-examples")[1]["summary"]["passed"]["n"] == 3


def test_examples_are_run_only_where_that_is_asked_for(evaluate):
    assert evaluate("functions", "--candidates", "2")[1]["summary"]["passed"]["n"] == 2


def test_examples_that_are_the_tests_are_refused(data_dir, capfd):
    rows = [{"task_id": 11, "prompt": "Write a function.", "test_list": ["assert f(1) == 2"]}]
    (data_dir / "sanitized-mbpp.json").write_text(json.dumps(rows))
    assert main(["eval", "functions", "--data", str(data_dir), "--set", "mbpp", "--run-examples"]) == 2
    assert "are its tests" in capfd.readouterr().err


def test_results_are_filed_and_not_asked_again(data_dir):
    def asked(result, known, n_tasks):
        asked.known.append(known)

    for expected in (False, True):
        asked.known = []
        plan = FunctionPlan(
            data_dir, "function", "humaneval", options=("engine=scripted",), out=data_dir / "filed.jsonl"
        )
        asyncio.run(run_plan(plan, asked))
        assert asked.known == [expected] * 3


def test_fix_gets_the_function_with_its_bug(evaluate, data_dir):
    answers = [{"text": "It adds.\n```python\ndef twice(x):\n    return x * 2\n```\n", "when": "def twice("}]
    (data_dir / "script.json").write_text(json.dumps({"answers": answers}))
    said = evaluate("fix")[1]
    # The draw's order is not the file's.
    assert sorted(f["task_id"] for f in said["failures"]) == ["made-up/broken", "made-up/thrice"]


def test_missing_toolchain_is_not_run_and_not_failed(evaluate, data_dir, monkeypatch):
    row = {
        "task_id": "go/0",
        "entry_point": "f",
        "prompt": "package main\n\nfunc f() int {\n",
        "test": "func main() {}",
    }
    (data_dir / "go_Chinese.jsonl").write_text(json.dumps(row) + "\n")
    monkeypatch.setattr(function_judge.shutil, "which", lambda name: None)
    code, said = evaluate("functions", "--set", "humaneval-xl:go:zh")
    assert (code, said["not_run"]) == (0, "not found: go")
    assert said["summary"]["passed"]["n_all"] == 0


def test_open_braces_of_a_prompt_are_closed(data_dir):
    prompt = "class A {\n    /** Give 1. */\n    static int f() {\n"
    row = {"task_id": "java/0", "entry_point": "f", "prompt": prompt, "test": ""}
    (data_dir / "java_English.jsonl").write_text(json.dumps(row) + "\n")
    (task,) = load(data_dir, "humaneval-xl:java:en")
    assert task.document == prompt + "    }\n}\n" and task.offset == len(prompt)


def test_unknown_set_is_wrong_usage(data_dir, capfd):
    assert main(["eval", "functions", "--data", str(data_dir), "--set", "nothing"]) == 2
    assert "known: humaneval" in capfd.readouterr().err
