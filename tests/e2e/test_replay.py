"""`fimble bench replay` with the real server and the naive child, their model scripted and the typist quick."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SERVER_DIR = Path(__file__).parents[2] / "server"
FUNCTION = """def total(values):
    result = 0
    for value in values:
        result += value
    return result
"""
TYPIST = """
key_ms = 15
symbol_ms = 15
word_ms = 15
line_end_ms = 350
thought_ms = 15
reaction_ms = 10
after_accept_ms = 15
spread_ln_width = 0
"""


@pytest.fixture
def replay(tmp_path):
    """Run the command; gives the finished process and what it wrote as JSON."""
    data, typist, script, out = (tmp_path / name for name in ("data.jsonl", "typist.toml", "script.json", "out.json"))
    row = {"path": "pkg/one.py", "language": "python", "text": f"import os\n\n\n{FUNCTION}\n\nprint(total([1]))\n"}
    data.write_text(json.dumps(row) + "\n", encoding="utf-8")
    typist.write_text(TYPIST, encoding="utf-8")
    # Whatever is asked: each prompt ends with what was typed last.
    answers = [{"text": "result = 0\n", "when": "def total(values):\n"}, {"text": "zzz\n"}]
    script.write_text(json.dumps({"answers": answers}), encoding="utf-8")
    paths = [str(SERVER_DIR), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "FIMBLE_SCRIPT": str(script),
        "FIMBLE_DATA_DIR": str(tmp_path / "models"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }

    def run(*arguments):
        command = [sys.executable, "-m", "fimble", "bench", "replay", "--data", str(data), "--typist", str(typist)]
        command += ["--json", str(out), *arguments]
        finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        return finished, json.loads(out.read_text(encoding="utf-8")) if out.exists() else None

    return run


def test_both_sides_are_typed_into_and_measured(replay):
    sides = ("--side", "fimble", "--side", "naive", "--variant", "slow:delay_ms=2000,n_second_opinions=0")
    finished, written = replay(*sides, "--set", "engine=scripted", "--stops", "0")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split()[:3] == ["fimble", "naive", "slow"]
    assert set(written["sides"]) == {"fimble", "naive", "slow"}
    assert written["sides"]["slow"]["n_generations"] < written["sides"]["fimble"]["n_generations"]
    for name, figures in written["sides"].items():
        assert figures["n_files"] == 1, name
        assert figures["n_generations"] > 0, name
        assert figures["n_decoded_tokens"] > 0, name
        assert figures["n_shown"] > 0, name
        assert figures["peak_mib"] > 10, name
    assert written["files"]["fimble"][0]["n_script_keys"] > 50


def test_right_suggestion_reaches_the_typist_and_is_taken(replay):
    finished, written = replay(
        "--side", "fimble", "--set", "engine=scripted", "--set", "delay_ms=0", "--stops", "12", "--chars", "30"
    )
    assert finished.returncode == 0, finished.stderr
    figures = written["sides"]["fimble"]
    assert figures["n_accepted_chars"] == len("result = 0")
    assert figures["stops"]["line-start"]["share_right"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--side", "fimble"), "qwen2.5-coder-0.5b"),
        (("--side", "llama-cpp", "--set", "engine=scripted"), "--gguf"),
        (("--plot", "no-such-folder/plot.png"), "no-such-folder"),
        (("--set", "no_such_option=1"), "no_such_option"),
        (("--set", "engine=scripted", "--variant", "odd:no_such_option=1"), "no_such_option"),
        (("--set", "engine=scripted", "--variant", "naive:delay_ms=1"), "variant"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_is_typed(replay, arguments, said):
    finished, written = replay(*arguments)
    assert finished.returncode in (1, 2)
    assert finished.stdout == ""
    assert said in finished.stderr
    assert written is None
