"""The run over tasks: an interruption costs no answer that was already had."""

from __future__ import annotations

from pathlib import Path

import pytest

from fimble.eval import infilling
from fimble.eval.candidate import Candidate, Hole, hole_for_editor
from fimble.eval.result_log import ResultLog
from fimble.eval.task import InfillingTask

TASKS = [
    InfillingTask(
        task_id=f"made-up/{n}",
        entry_point=f"add_{n}",
        prompt=f"def add_{n}(a, b):\n",
        suffix="    return total\n",
        canonical_solution=f"    total = a + b + {n}\n",
        test=f"def check(candidate):\n    assert candidate(1, 2) == {3 + n}\n",
    )
    for n in range(4)
]


class ListedAnswers:
    """Answers from a list; a missing one interrupts the run."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def hole(self, task: InfillingTask) -> Hole:
        return hole_for_editor(task, "single-line")

    async def answer(self, task: InfillingTask, hole: Hole) -> Candidate:
        self.asked.append(task.task_id)
        if task.task_id not in self.answers:
            raise KeyboardInterrupt
        return Candidate(self.answers[task.task_id], hole.offset, hole.offset)


async def test_interrupted_run_goes_on_where_it_was(tmp_path: Path):
    path = tmp_path / "results.jsonl"
    first = ListedAnswers({"made-up/0": "    total = a + b", "made-up/1": "    total = a * b"})
    with pytest.raises(KeyboardInterrupt):
        await infilling.run(TASKS, first, ResultLog(path, {}))
    second = ListedAnswers({"made-up/2": "    total = b + a + 2", "made-up/3": "    total = a + b + 3"})
    seen: list[tuple[str, bool]] = []
    results = await infilling.run(
        TASKS, second, ResultLog(path, {}), lambda result, known: seen.append((result.task_id, known))
    )
    assert second.asked == ["made-up/2", "made-up/3"]
    assert seen == [("made-up/0", True), ("made-up/1", True), ("made-up/2", False), ("made-up/3", False)]
    assert [result.passed for result in results] == [True, False, True, True]
    assert [result.exact for result in results] == [False, False, False, True]
    assert results[1].failure == "AssertionError"
