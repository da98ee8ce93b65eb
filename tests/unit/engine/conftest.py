"""A server for the remote engine."""

from __future__ import annotations

import pytest

from fake_openai import Server


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()
