"""Servers of others, really run. Not part of a plain `pytest`: CONTRIBUTING.md says how to install and run them."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fimble import manifest as manifests
from fimble.models import download
from fimble.models.progress import NoProgress
from fimble.models.store import ModelStore
from remote_cases import MODEL_ID, free_port, until_answering

GGUF_VARIABLE = "FIMBLE_TEST_GGUF"


def publishers_file() -> Path:
    """Give the publisher's GGUF file: the one that `FIMBLE_TEST_GGUF` names, or fetched as `models pull` does."""
    if named := os.environ.get(GGUF_VARIABLE):
        return Path(named)
    store = ModelStore()
    return download.fetch(manifests.load(MODEL_ID), store.download_dir, download.source_order(()), NoProgress())


@pytest.fixture(scope="session")
def llama_cpp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run llama-cpp-python's server with the publisher's own file; gives its base URL."""
    if importlib.util.find_spec("llama_cpp") is None:
        pytest.fail("llama-cpp-python is not installed; CONTRIBUTING.md, `Other servers`, says how")
    port, log_path = free_port(), tmp_path_factory.mktemp("llama") / "server.log"
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(publishers_file()), "--model_alias", MODEL_ID]
    command += ["--host", "127.0.0.1", "--port", str(port), "--n_ctx", "4096"]
    with log_path.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            until_answering(f"http://127.0.0.1:{port}/v1/models", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
