"""`fimble bench` as a person runs it; what it finds is not judged here, only that it measured what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SERVER_DIR = Path(__file__).parents[2] / "server"


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    paths = [str(SERVER_DIR), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-m", "fimble", "bench", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_overhead_is_measured_on_answers_that_were_shown():
    run = bench("overhead", "--requests", "12", "--lines", "400", "--json")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    figures = report["figures"]
    assert (figures["n_lines"], figures["n_shown"]) == (400, 24)
    assert figures["parts"]["total"]["n"] == 12
    for name in ("completion", "change_and_completion", "change", "change_and_status", "status"):
        figure = figures[name]
        assert figure["n"] == 12
        assert 0 <= figure["p50_ms"] <= figure["p95_ms"] <= figure["p99_ms"] <= figure["max_ms"]
    assert report["machine"]["n_cores"] >= 1
