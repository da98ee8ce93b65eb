"""`fimble complete` as a process, with the scripted engine."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPTED = ("--set", "engine=scripted")


@pytest.fixture
def fimble(environment, script, tmp_path):
    """Run one command line; gives the finished process."""

    def run(*arguments, stdin=b"", **changes):
        finished = subprocess.run(
            [sys.executable, "-m", "fimble", *arguments],
            env=environment | changes,
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )
        finished.out, finished.err = finished.stdout.decode(), finished.stderr.decode()
        return finished

    return run


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("def add(a, b):\n    return \n", encoding="utf-8")
    return path


def test_text_alone_goes_to_standard_output(fimble, script, source):
    script({"text": "a + b\n", "times": 1})
    finished = fimble("complete", str(source), "--line", "2", "--column", "12", *SCRIPTED)
    assert (finished.returncode, finished.out) == (0, "a + b\n")
    assert "error" not in finished.err


def test_json_has_text_place_and_trace(fimble, script, source):
    script({"text": "a + b\n", "times": 1})
    finished = fimble("complete", str(source), "--line", "2", "--column", "12", "--json", *SCRIPTED)
    answer = json.loads(finished.out)
    place = {"line": 2, "column": 12, "offset": 26}
    assert answer["completions"] == [{"text": "a + b", "start": place, "end": place}]
    assert answer["decline"] is None
    assert answer["trace"]["outcome"] == "shown"
    assert answer["trace"]["language"] == "python"


def test_standard_input_with_a_language(fimble, script):
    script({"text": "1)", "when": "Println"})
    text = b"package main\r\n\r\nfunc main() {\r\n\tfmt.Println(\r\n}\r\n"
    arguments = ("complete", "-", "--language", "go", "--line", "4", "--column", "14", "--json", *SCRIPTED)
    answer = json.loads(fimble(*arguments, stdin=text).out)
    assert answer["trace"]["language"] == "go"
    assert answer["completions"][0]["text"].startswith("1)")


def test_nothing_suggested_is_no_error(fimble, source):
    finished = fimble("complete", str(source), "--line", "2", "--column", "12", *SCRIPTED)
    assert (finished.returncode, finished.out) == (0, "")
    assert "nothing suggested: empty-answer" in finished.err


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_bytes(b"x = 1\n" * 9_000_000), "document-too-large"),
        (lambda path: path.write_bytes(b"x" * 200_000), "line-too-long"),
    ],
    ids=["50 MB", "200,000 characters in a line"],
)
def test_text_beyond_the_limits_is_declined(fimble, tmp_path, make, reason):
    path = tmp_path / "big.py"
    make(path)
    finished = fimble("complete", str(path), "--line", "1", "--column", "3", *SCRIPTED)
    assert (finished.returncode, finished.out) == (0, "")
    assert reason in finished.err


def test_secret_file_is_declined(fimble, script, tmp_path):
    script("never")
    (tmp_path / ".env").write_text("TOKEN=", encoding="utf-8")
    finished = fimble("complete", ".env", "--line", "1", "--column", "7", *SCRIPTED)
    assert (finished.returncode, finished.out) == (0, "")
    assert "path-off" in finished.err


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (("a.py", "--line", "9", "--column", "1"), 2, "line 9 is outside"),
        (("a.py", "--line", "2", "--column", "13"), 2, "column 13 is outside"),
        (("a.py", "--line", "x", "--column", "1"), 2, "invalid int value"),
        (("a.py", "--line", "1", "--column", "1", "--set", "delay_ms=soon"), 2, "`delay_ms` must be a whole number"),
        (("a.py", "--line", "1", "--column", "1", "--set", "dealy_ms=1"), 2, "did you mean `delay_ms`?"),
        (("a.py", "--line", "1", "--column", "1", "--alternatives", "0"), 2, "not a whole number of at least 1"),
        (("none.py", "--line", "1", "--column", "1"), 1, "cannot read `none.py`"),
        ((".", "--line", "1", "--column", "1"), 1, "cannot read `.`"),
        (("a.py", "--line", "1", "--column", "1"), 1, "model `qwen2.5-coder-0.5b` is not installed"),
        (("a.py", "--line", "1", "--column", "1", "--model", "gpt-9"), 1, "no model is called `gpt-9`"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(fimble, source, arguments, exit_code, message):
    finished = fimble("complete", *arguments)
    assert (finished.returncode, finished.out) == (exit_code, "")
    assert message in finished.err
    assert "Traceback" not in finished.err
    if exit_code == 1:
        assert "\n\nhint: " in finished.err


def test_wrong_settings_file_is_named(fimble, source, environment):
    from pathlib import Path

    config = Path(environment["XDG_CONFIG_HOME"]) / "fimble" / "config.toml"
    config.write_text("delay_ms = 75\nspeed = 9\n", encoding="utf-8")
    finished = fimble("complete", str(source), "--line", "1", "--column", "1", *SCRIPTED)
    assert finished.returncode == 2
    assert "unknown option `speed`" in finished.err
    assert str(config) in finished.err
