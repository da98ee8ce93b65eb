"""`fimble action review --staged` in a repository of its own, with a scripted engine."""

from __future__ import annotations

import json
import subprocess

import pytest

from fimble.cli.main import main
from fimble.cli.staged_review import staged_files, stretches

OLD = "import os\n\n\ndef first(x):\n    return x\n\n\ndef second(y):\n    return y\n"
NEW = OLD.replace("return x", "x = 1 / x\n    return x") + "\n\ndef third(z):\n    return z\n\n\nLAST = third(1)\n"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    folder = tmp_path / "a project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("FIMBLE_SCRIPT", str(tmp_path / "script.json"))

    def git(*words):
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e@example.com", *words], check=True)

    git("init", "--quiet")
    (folder / "calc.py").write_text(OLD)
    git("add", ".")
    git("commit", "--quiet", "--message", "Begin")
    git.folder = folder
    git.answers = lambda *answers: (tmp_path / "script.json").write_text(json.dumps({"answers": list(answers)}))
    git.answers()
    return git


def review(*words):
    return main(["action", "review", "--staged", *words, "--set", "engine=scripted", "--set", "log_level=error"])


def test_each_changed_function_is_reviewed_once_as_it_is_staged(repository, capfd):
    (repository.folder / "calc.py").write_text(NEW)
    repository("add", ".")
    (repository.folder / "calc.py").write_text("# not staged\n")
    repository.answers(
        {"text": "2: divides by zero\n", "when": "1: def first"}, {"text": "1: a bad name\n", "when": "1: LAST"}
    )
    assert review() == 0
    said = capfd.readouterr()
    assert said.out == "calc.py:5: divides by zero\ncalc.py:17: a bad name\n"
    assert "3 of 3: calc.py:17" in said.err


def test_remarks_as_json_and_of_one_file(repository, capfd):
    for name in ("calc.py", "other file.py"):
        (repository.folder / name).write_text(NEW)
    repository("add", ".")
    repository.answers({"text": "1: hm\n"})
    assert review("other file.py", "--json") == 0
    said = json.loads(capfd.readouterr().out)
    assert {r["path"] for r in said["remarks"]} == {"other file.py"} and not said["refused"]


def test_functions_that_did_not_change_are_left_alone(repository):
    (repository.folder / "calc.py").write_text(NEW)
    repository("add", ".")
    (file,) = staged_files(repository.folder)
    named = [
        place.function.name if place.function else place.selected.strip()
        for place in stretches(repository.folder, file)
    ]
    assert named == ["first", "third", "LAST = third(1)"]


def test_secrets_and_what_is_not_text_are_not_put_into_a_prompt(repository, capfd):
    (repository.folder / ".env").write_text("KEY=1\n")
    (repository.folder / "image.png").write_bytes(bytes(range(256)))
    repository("add", ".")
    repository.answers({"text": "1: hm\n"})
    assert review() == 1
    said = capfd.readouterr()
    assert said.out == "" and ".env:1 was not reviewed" in said.err


def test_nothing_staged_is_said(repository, capfd):
    assert review() == 1
    assert "nothing that can be reviewed is staged" in capfd.readouterr().err


def test_outside_a_repository_git_says_so(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert review() == 1
    assert "git failed" in capfd.readouterr().err


@pytest.mark.parametrize("words", [["fix", "--staged"], ["review", "--staged", "--apply"], ["review"]])
def test_wrong_use_is_named(words, capfd):
    assert main(["action", *words]) == 2
    assert "error:" in capfd.readouterr().err
