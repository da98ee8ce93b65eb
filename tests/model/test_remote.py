"""The remote engine on fimble's own facade with real weights: what the local engine gives, sent over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fimble.models.install import pull
from fimble.models.store import ModelStore
from fimble.settings import Settings
from remote_cases import (
    EXPECTED,
    GHOST,
    MODEL_ID,
    PATIENT,
    check_sum,
    free_port,
    function_from_comment,
    ghost_text,
    remote,
    until_answering,
)

pytestmark = [pytest.mark.model, pytest.mark.timeout(1800)]

SERVER_DIR = Path(__file__).resolve().parents[2] / "server"
TOKEN = "a-token-of-the-tests"


@pytest.fixture(scope="module")
def facade() -> Iterator[str]:
    """Run a daemon of its own with the HTTP interfaces on; gives their base URL."""
    pull(ModelStore(), MODEL_ID)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="fimble-") as folder:
        config = Path(folder) / "fimble"
        config.mkdir()
        (config / "config.toml").write_text(f"http_port = {port}\nmodel = '{MODEL_ID}'\n", encoding="utf-8")
        ours = {
            "PYTHONPATH": str(SERVER_DIR),
            "FIMBLE_RUNTIME_DIR": folder,
            "XDG_CONFIG_HOME": folder,
            "FIMBLE_HTTP_TOKEN": TOKEN,
        }
        with subprocess.Popen(
            [sys.executable, "-m", "fimble", "daemon", "run"], env=os.environ | ours, stderr=subprocess.DEVNULL
        ) as process:
            try:
                until_answering(f"http://127.0.0.1:{port}/health", process)
                yield f"http://127.0.0.1:{port}/v1"
            finally:
                process.terminate()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIMBLE_API_KEY", TOKEN)


@pytest.mark.parametrize("language", list(GHOST))
async def test_ghost_text_is_what_the_local_engine_gives(facade: str, language: str) -> None:
    there, here = await ghost_text(remote(facade), language), await ghost_text(Settings(**PATIENT), language)
    assert [c.text for c in there.completions] == [c.text for c in here.completions]
    assert there.completions[0].text == EXPECTED[language], there.trace


async def test_action_writes_a_function(facade: str) -> None:
    there, here = await function_from_comment(remote(facade)), await function_from_comment(Settings(**PATIENT))
    check_sum(there)
    assert there.edits == here.edits
