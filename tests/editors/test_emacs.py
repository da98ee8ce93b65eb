"""Emacs with eglot: no ghost text there, so the suggestion comes through the completion menu; and a code action."""

from __future__ import annotations

import subprocess
from pathlib import Path

from editors.script import COMMENT, FUNCTION, SCRIPT

PROGRAM = Path(__file__).with_name("emacs_eglot.el")
TITLE = "Write the code this comment asks for"


def test_completion_menu_and_code_action(tools, home, tmp_path):
    home.answer({"when": "def sub(", "text": "a, b):", "times": 1}, *SCRIPT["comment"])
    path = tmp_path / "a.py"
    path.write_text(COMMENT + "\n\ndef sub(")
    words = [str(tools.emacs), "-Q", "--batch", "-l", str(PROGRAM), str(path), str(home.command), TITLE]
    done = subprocess.run(words, env=home.environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    facts = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert facts["managed"] == "t"
    assert facts["state"] == "ready"
    assert facts["candidates"] == '("a, b):")'
    taken = COMMENT + "\n\ndef sub(a, b):"
    assert facts["buffer"] == quoted(taken)
    assert f'"{TITLE}"' in facts["actions"]
    assert facts["acted"] == quoted(taken.replace(COMMENT, COMMENT + FUNCTION))


def quoted(text: str) -> str:
    """Write a string as Emacs does."""
    return '"' + text.replace("\n", "\\n") + '"'
