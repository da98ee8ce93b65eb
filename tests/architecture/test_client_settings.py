"""The clients' lists of options are those of the server."""

from __future__ import annotations

import subprocess
import sys


def test_generated_lists_are_up_to_date(root):
    script = root / "editor-client" / "scripts" / "generate_settings.py"
    environment = {"PYTHONPATH": str(root / "server")}
    done = subprocess.run([sys.executable, str(script), "--check"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
