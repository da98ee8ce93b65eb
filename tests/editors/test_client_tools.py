"""The tools that a contributor to the clients runs have no complaint, and the bundle stays small."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from editors.tools import HINT, ROOT

CLIENTS = ROOT / "editor-client"
BUNDLE_BYTES_MAX = 600_000


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("vscode", ["npm", "run", "--silent", "lint"]),
        ("vscode", ["npm", "run", "--silent", "types"]),
        ("nvim", ["luacheck", "--no-color", "--quiet", "."]),
        ("scripts", ["node", "stylua.mjs", "--check"]),
    ],
    ids=["eslint-prettier", "tsc", "luacheck", "stylua"],
)
def test_tool_has_no_complaint(tools, folder, words):
    search = f"{tools.node.parent}{os.pathsep}{os.environ['PATH']}"
    program = shutil.which(words[0], path=search)
    assert program is not None, f"`{words[0]}` is not installed; {HINT}"
    environment = os.environ | {"PATH": search}
    done = subprocess.run(
        [program, *words[1:]], cwd=CLIENTS / folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_bundle_is_small(vsix):
    bundle = CLIENTS / "vscode" / "dist" / "extension.js"
    assert 0 < bundle.stat().st_size <= BUNDLE_BYTES_MAX
    assert vsix.stat().st_size <= BUNDLE_BYTES_MAX
