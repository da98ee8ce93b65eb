"""`fimble bench` as a person runs it; what it finds is not judged here, only that it measured what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fimble.errors import UsageError

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


def test_action_is_seen_to_run_while_ghost_text_is_asked_for(tmp_path):
    """A scripted action that takes a while, and ghost text that comes at once."""
    from fimble.bench import actions

    words = " ".join(f"word{n}" for n in range(80))
    answers = [{"text": words, "when": "Explain", "token_ms": 20}, {"text": "value\n"}]
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"answers": answers}))
    environment = {"FIMBLE_SCRIPT": str(script), "XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    figures = actions.measure(2, options={"engine": "scripted"}, environment=environment)
    assert (figures.n_actions, figures.n_actions_done) == (4, 4)
    assert figures.ghost_alone.n == 2 * actions.N_PLACES and 1 <= figures.ghost_beside.n <= 2 * actions.N_PLACES
    assert figures.share_of_alone > 0 and figures.n_shown > 0


def test_every_request_of_a_soak_is_answered(tmp_path, monkeypatch):
    from fimble.bench import soak

    (tmp_path / "script.json").write_text(json.dumps({"answers": [{"text": "value\n"}]}))
    for name, value in {"FIMBLE_SCRIPT": "script.json", "XDG_CONFIG_HOME": ".", "HOME": "."}.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    options = {"engine": "scripted", "hold": False}
    figures = soak.measure(60, 8, options=options, n_samples=4)
    assert (figures.n_requests, figures.n_documents, figures.n_unanswered) == (60, 8, 0)
    assert figures.n_cancelled > 0 and figures.n_shown > 20
    assert figures.warm_mib > 0 and figures.highest_mib >= figures.last_mib and len(figures.resident_mib) == 4
    with pytest.raises(UsageError, match="in time"):
        soak.measure(60, 8, options=options, duration_s_max=0.0)
