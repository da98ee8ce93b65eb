"""Where `install.sh` put the programs, and how a test waits for what they do."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 90
"""How long a state may take to come about: far more than it does, so that only what never comes fails."""
ATTEMPT_LIMIT_S = 5
"""How long to wait for what a key press may have been too early for, before it is pressed again."""
HINT = "run `tests/editors/install.sh` (as root, or with the system packages it names installed)"


@dataclass(frozen=True, slots=True)
class Tools:
    folder: Path
    nvim: Path
    node: Path
    code_server: Path
    chromium: Path
    emacs: Path


def find_tools() -> Tools:
    """Give the programs; a missing one is a failure, with the command that brings it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("FIMBLE_EDITORS_DIR") or cache / "fimble-editors")
    nvim = folder / "tools" / "nvim"
    node = folder / "tools" / "bin" / "node"
    code_server = folder / "code-server" / "node_modules" / "code-server" / "out" / "node" / "entry.js"
    for file in (nvim, node, code_server):
        if not file.exists():
            pytest.fail(f"`{file}` is missing\n\nhint: {HINT}", pytrace=False)
    return Tools(folder, nvim, node, code_server, _program("chromium"), _program("emacs"))


def _program(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"`{name}` is not installed\n\nhint: {HINT}", pytrace=False)
    return Path(found)


def until(
    condition: Callable[[], T], what: str, seen: Callable[[], object] | None = None, limit_s: float = LIMIT_S
) -> T:
    """Wait until `condition()` is true and give its value; fails saying what is `seen` instead."""
    value = comes_about(condition, limit_s)
    if not value:
        pytest.fail(f"never happened: {what}" + (f"; seen: {seen()!r}" if seen else ""))
    return value


def comes_about(condition: Callable[[], T], limit_s: float) -> T:
    """Wait until `condition()` is true or the limit is reached, and give its last value."""
    end_s = time.monotonic() + limit_s
    while True:
        value = condition()
        if value or time.monotonic() > end_s:
            return value
        time.sleep(0.02)
