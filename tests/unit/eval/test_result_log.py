"""Results that survive an interruption, and belong to one configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from fimble.errors import FimbleError
from fimble.eval.result_log import ResultLog, TaskResult, code_sha256, config_key

CONFIG = {"model": "m", "set": "single-line"}
FIRST = TaskResult("t/1", passed=True, exact=False, text="é\u2028\n", trace={"filters": ["scope"]})


def test_results_are_known_again(tmp_path: Path):
    path = tmp_path / "deep" / "results.jsonl"
    ResultLog(path, CONFIG).add(FIRST)
    assert ResultLog(path, CONFIG).get("t/1") == FIRST
    assert ResultLog(path, CONFIG).get("t/2") is None


def test_other_configuration_starts_anew_in_the_same_file(tmp_path: Path):
    path = tmp_path / "results.jsonl"
    ResultLog(path, CONFIG).add(FIRST)
    other = ResultLog(path, CONFIG | {"model": "n"})
    assert other.get("t/1") is None
    other.add(TaskResult("t/1", passed=False, exact=False))
    assert ResultLog(path, CONFIG).get("t/1") == FIRST


def test_forgotten_results_are_asked_again_and_the_newest_counts(tmp_path: Path):
    path = tmp_path / "results.jsonl"
    ResultLog(path, CONFIG).add(FIRST)
    log = ResultLog(path, CONFIG, forget=True)
    assert log.get("t/1") is None
    log.add(TaskResult("t/1", passed=False, exact=False))
    newest = ResultLog(path, CONFIG).get("t/1")
    assert newest is not None
    assert not newest.passed


def test_torn_last_line_is_ignored_and_the_next_one_is_whole(tmp_path: Path):
    path = tmp_path / "results.jsonl"
    log = ResultLog(path, CONFIG)
    log.add(FIRST)
    log.add(TaskResult("t/2", passed=True, exact=True))
    path.write_bytes(path.read_bytes()[:-30])
    again = ResultLog(path, CONFIG)
    assert again.get("t/1") == FIRST
    assert again.get("t/2") is None
    again.add(TaskResult("t/2", passed=True, exact=True))
    assert ResultLog(path, CONFIG).get("t/2") is not None


def test_unusable_file_is_an_error_with_its_way_out(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FimbleError) as caught:
        ResultLog(tmp_path / "file" / "results.jsonl", CONFIG)
    assert caught.value.hint == "choose another file with `--out`"


def test_key_depends_on_values_not_on_their_order():
    assert config_key({"a": 1, "b": 2}) == config_key({"b": 2, "a": 1})
    assert config_key({"a": 1}) != config_key({"a": 2})


@pytest.mark.parametrize(("name", "counts"), [("fim/prompt.py", True), ("settings.py", True), ("cli/eval.py", False)])
def test_only_code_that_can_change_an_answer_counts(tmp_path: Path, name: str, counts: bool):
    for file in ("fim/prompt.py", "settings.py", "cli/eval.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("x = 1\n")
    before = code_sha256(tmp_path)
    (tmp_path / name).write_text("x = 2\n")
    assert (code_sha256(tmp_path) != before) is counts
