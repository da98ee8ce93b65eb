"""A language server without a model, for what talks to one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

FAKE_SERVER = Path(__file__).with_name("fake_server.py")


@pytest.fixture
def fake_command():
    """Give the command of the fake server, with arguments."""
    return lambda *arguments: [sys.executable, str(FAKE_SERVER), *arguments]
