"""Emacs with eglot: no ghost text there, so the suggestion comes through the completion menu."""

from __future__ import annotations

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).with_name("emacs_eglot.el")


def test_completion_menu(tools, home, tmp_path):
    home.answer({"when": "def add(", "text": "a, b):"})
    path = tmp_path / "a.py"
    path.write_text("import os\ndef add(")
    words = [str(tools.emacs), "-Q", "--batch", "-l", str(SCRIPT), str(path), str(home.command)]
    done = subprocess.run(words, env=home.environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    facts = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert facts["managed"] == "t"
    assert facts["state"] == "ready"
    assert facts["candidates"] == '("a, b):")'
    assert facts["buffer"] == '"import os\\ndef add(a, b):"'
