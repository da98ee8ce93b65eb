"""How a finished document is judged."""

from __future__ import annotations

import pytest

from fimble.eval import judge as judge_module
from fimble.eval.judge import Judgement, judge
from fimble.sandbox.outcome import Limits

TEST = "def check(candidate):\n    assert candidate(1, 2) == 3\n"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("def add(a, b):\n    return a + b\n", Judgement(True)),
        ("def add(a, b):\n    return a - b\n", Judgement(False, "AssertionError")),
        ("def add(a, b):\n    return a + c\n", Judgement(False, "NameError")),
        ("def add(a, b):\nreturn a + b\n", Judgement(False, "IndentationError")),
        ("import json\ndef add(a, b):\n    return json.loads('{')\n", Judgement(False, "JSONDecodeError")),
        ("raise SystemExit(0)\n", Judgement(False, "exited-early")),
        ("import os\ndef add(a, b):\n    os._exit(0)\n", Judgement(False, "exited-early")),
        ("raise SystemExit(3)\n", Judgement(False, "exit-code-3")),
        ("import os\nos.abort()\n", Judgement(False, "signal")),
        ("def add(a, b):\n    print('x' * 1_000_000)\n    return a + b\n", Judgement(True)),
        ("def add(a, b):\n    assert False, 'first\\n\\nlast: line'\n", Judgement(False, "AssertionError")),
    ],
)
def test_judgement(document: str, expected: Judgement):
    assert judge(document, TEST, "add") == expected


def test_endless_program_is_stopped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(judge_module, "LIMITS", Limits(wall_ms=30_000, cpu_ms=1000))
    assert judge("while True:\n    pass\n", TEST, "add") == Judgement(False, "cpu-time")
