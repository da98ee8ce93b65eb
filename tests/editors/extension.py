"""The extension, packaged from the sources as they are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from editors.tools import HINT, ROOT, Tools


def build_vsix(tools: Tools) -> Path:
    client = ROOT / "editor-client" / "vscode"
    environment = os.environ | {"PATH": f"{tools.node.parent}{os.pathsep}{os.environ['PATH']}"}
    words = ["npm", "run", "--silent", "package"]
    result = subprocess.run(words, cwd=client, env=environment, capture_output=True, text=True)
    if result.returncode != 0:
        pytest.fail(f"the extension was not built: {result.stderr}\n\nhint: {HINT}", pytrace=False)
    return client / "fimble.vsix"
