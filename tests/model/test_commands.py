"""The commands of README with the real default model, which is pulled once into the user's cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.model, pytest.mark.timeout(1800)]

MODEL_ID = "qwen2.5-coder-0.5b"
SERVER_DIR = Path(__file__).resolve().parents[2] / "server"
# A loaded machine may be slow; what is tested is the answer, not its time.
PATIENT = ("--set", "deadline_ms=60000")
N_RUNS = 3
SOURCE = "import json\n\n\ndef load_config(path: str) -> dict:\n    with open(path) as file:\n        return \n"


def fimble(*arguments, **changes):
    environment = os.environ | {"PYTHONPATH": str(SERVER_DIR)} | changes
    command = [sys.executable, "-m", "fimble", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", autouse=True)
def default_model():
    """Have the default model installed."""
    pulled = fimble("models", "pull", MODEL_ID)
    assert pulled.returncode == 0, pulled.stderr


def test_complete_writes_what_belongs_there_and_ends_cleanly(tmp_path):
    path = tmp_path / "config.py"
    path.write_text(SOURCE, encoding="utf-8")
    for _ in range(N_RUNS):
        finished = fimble("complete", str(path), "--line", "6", "--column", "16", "--no-share", *PATIENT)
        assert (finished.returncode, finished.stdout) == (0, "json.load(file)\n"), finished.stderr


def test_demo_gives_ghost_text_at_every_pause():
    finished = fimble("demo", "--fast", "--json", *PATIENT)
    assert finished.returncode == 0, finished.stderr
    figures = json.loads(finished.stdout)
    assert figures["model"] == MODEL_ID
    accepted = [step["accepted"] for step in figures["steps"]]
    assert all(accepted), accepted
    assert "Counter(words)" in accepted
    compile(figures["text"], "wordcount.py", "exec")


def test_doctor_finds_a_working_installation():
    finished = fimble("doctor", "--json")
    findings = {finding["subject"]: finding for finding in json.loads(finished.stdout)}
    # A model that an older fimble left in the user's cache serves, and is not fetched again for a test.
    model = findings["model"]
    assert model["verdict"] == "ok" or "converted by an older fimble" in model["detail"]
    assert findings["server"]["verdict"] == "ok"
    assert "has its model ready" in findings["server"]["detail"]
