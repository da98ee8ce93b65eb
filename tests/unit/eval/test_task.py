"""Reading tasks, drawing them, and putting answers into their documents."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from fimble.errors import FimbleError
from fimble.eval.candidate import Candidate, apply, hole_as_published, hole_for_editor, matches_exactly
from fimble.eval.task import InfillingTask, draw, load

TASK = InfillingTask(
    task_id="made-up/1",
    entry_point="add",
    prompt="def add(a, b):\n",
    suffix="    return total\n",
    canonical_solution="    total = a + b\n",
    test="def check(candidate):\n    assert candidate(1, 2) == 3\n",
)


def line_of(task: InfillingTask, **changes: str) -> str:
    return json.dumps({name: getattr(task, name) for name in InfillingTask.__slots__} | changes)


@pytest.mark.parametrize("folder", ["", "infilling"])
def test_set_is_read_packed_or_plain_in_the_folder_or_below(tmp_path: Path, folder: str):
    (tmp_path / folder).mkdir(exist_ok=True)
    text = line_of(TASK, prompt="x = '\u2028'\n") + "\n"
    (tmp_path / folder / "HumanEval-MultiLineInfilling.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / folder / "HumanEval-SingleLineInfilling.jsonl").write_text(text * 2)
    assert [task.prompt for task in load(tmp_path, "multi-line")] == ["x = '\u2028'\n"]
    assert len(load(tmp_path, "single-line")) == 2


def test_missing_set_names_the_file(tmp_path: Path):
    with pytest.raises(FimbleError, match=r"HumanEval-RandomSpanInfilling\.jsonl\.gz"):
        load(tmp_path, "random-span")


@pytest.mark.parametrize("line", ["{", "[]", '{"task_id": "only"}'])
def test_line_that_is_no_task_is_named(tmp_path: Path, line: str):
    (tmp_path / "HumanEval-SingleLineInfilling.jsonl").write_text(line_of(TASK) + "\n" + line + "\n")
    with pytest.raises(FimbleError, match="line 2 is not an infilling task"):
        load(tmp_path, "single-line")


def test_damaged_archive_is_an_error(tmp_path: Path):
    (tmp_path / "HumanEval-SingleLineInfilling.jsonl.gz").write_bytes(gzip.compress(os.urandom(5000))[:400])
    with pytest.raises(FimbleError, match="cannot read"):
        load(tmp_path, "single-line")


def test_larger_draw_of_a_seed_begins_with_the_smaller():
    tasks = [InfillingTask(str(n), "", "", "", "", "") for n in range(100)]
    assert draw(tasks, 40, seed=7)[:10] == draw(tasks, 10, seed=7)
    assert draw(tasks, 10, seed=7) != draw(tasks, 10, seed=8)
    assert sorted(int(task.task_id) for task in draw(tasks, None, seed=7)) == list(range(100))


def test_whole_line_hole_stands_on_an_empty_line():
    hole = hole_for_editor(TASK, "single-line")
    assert hole.text == "def add(a, b):\n\n    return total\n"
    assert hole.text[: hole.offset] == TASK.prompt
    answered = apply(hole, Candidate("    total = a + b", hole.offset, hole.offset))
    assert answered == "def add(a, b):\n    total = a + b\n    return total\n"
    assert matches_exactly(answered, TASK)


@pytest.mark.parametrize("hole", [hole_for_editor(TASK, "random-span"), hole_as_published(TASK)])
def test_other_holes_add_nothing(hole):
    assert hole.text == TASK.prompt + TASK.suffix


def test_replaced_range_is_applied_to_the_document():
    hole = hole_for_editor(InfillingTask("", "", "print(len(", "))\n", "x", ""), "random-span")
    assert apply(hole, Candidate("x))", hole.offset, hole.offset + 2)) == "print(len(x))\n"


@pytest.mark.parametrize(
    ("answer", "exact"),
    [
        ("    total = a + b", True),
        ("    total = a + b   ", True),
        ("    total = b + a", False),
        ("  total = a + b", False),
    ],
)
def test_exact_match_ignores_only_spaces_at_line_ends(answer: str, exact: bool):
    hole = hole_for_editor(TASK, "single-line")
    assert matches_exactly(apply(hole, Candidate(answer, hole.offset, hole.offset)), TASK) is exact
