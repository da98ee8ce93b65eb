"""`fimble models` in processes of its own: killed while pulling, two at once, and what it prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fimble.models.store import ModelStore

SERVER = Path(__file__).parents[3] / "server"
LIMIT_S = 120
# The child sees the tiny catalogue instead of the shipped one.
BOOT = (
    "import sys, pathlib, fimble.manifest as m; folder = pathlib.Path(sys.argv.pop(1)); "
    "m.manifest_dir = lambda: folder; from fimble.cli.main import main; raise SystemExit(main())"
)


def start(catalogue: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BOOT, str(catalogue), "models", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SERVER)},
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=LIMIT_S)
    return process.returncode, out, err


def run(catalogue: Path, *arguments: str) -> tuple[int, str, str]:
    return finish(start(catalogue, *arguments))


def wait_until(condition: Callable[[], bool]) -> None:
    limit_at_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < limit_at_s, "it never happened"
        time.sleep(0.02)


def test_killed_while_pulling_then_resumed(store: ModelStore, catalogue: Path, hub) -> None:
    hub.hold_after_bytes = 2_000_000
    process = start(catalogue, "pull", "tiny", "--source", "hub")
    parts = lambda: list(store.download_dir.glob("*.hub.part"))  # noqa: E731
    wait_until(lambda: bool(parts()) and parts()[0].stat().st_size > 1_000_000)
    process.send_signal(signal.SIGKILL)
    finish(process)
    hub.go_on.set()
    kept_bytes = parts()[0].stat().st_size
    code, out, err = run(catalogue, "pull", "tiny", "--source", "hub", "--json")
    assert code == 0, err
    assert hub.asked[-1][1] == f"bytes={kept_bytes}-"
    assert json.loads(out)["id"] == "tiny"
    store.verify("tiny")


def test_two_pulls_at_once_download_once(store: ModelStore, catalogue: Path, hub) -> None:
    hub.hold_after_bytes = 2_000_000
    first = start(catalogue, "pull", "tiny", "--source", "hub")
    wait_until(lambda: bool(hub.asked))
    second = start(catalogue, "pull", "tiny", "--source", "hub")
    assert second.stderr is not None
    assert "waiting for another process" in second.stderr.readline()
    hub.go_on.set()
    assert finish(first)[0] == 0
    assert finish(second)[0] == 0
    assert len(hub.asked) == 1
    store.verify("tiny")


def test_staging_of_a_dead_process_is_cleared(store: ModelStore, catalogue: Path, hub) -> None:
    dead = store.root / ".staging" / "tiny.new"
    dead.mkdir(parents=True)
    (dead / "model.bin").write_bytes(b"half")
    assert run(catalogue, "pull", "tiny", "--source", "hub")[0] == 0
    assert not dead.exists()


def test_life_of_a_model_on_the_command_line(store: ModelStore, catalogue: Path, hub) -> None:
    code, out, err = run(catalogue, "path", "tiny")
    assert (code, out) == (1, "")
    assert err == "error: model `tiny` is not installed\n\nhint: run `fimble models pull tiny`\n"

    code, out, err = run(catalogue, "pull", "tiny", "--source", "hub")
    assert (code, out) == (0, "")
    assert "Downloading tiny: 5." in err
    assert f"Installed `tiny` in {store.root / 'tiny'}" in err

    code, out, _ = run(catalogue, "list", "--json")
    assert code == 0
    assert [(row["id"], row["state"], row["quantization"]) for row in json.loads(out)] == [
        ("tiny", "installed", "int8")
    ]

    assert run(catalogue, "path", "tiny")[1] == f"{store.root / 'tiny'}\n"
    assert run(catalogue, "verify", "tiny")[0] == 0

    model = store.root / "tiny" / "model.bin"
    content = model.read_bytes()
    model.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    code, _, err = run(catalogue, "verify", "tiny")
    assert code == 1
    assert "`model.bin` of model `tiny` has sha256" in err
    assert "hint: run `fimble models remove tiny`" in err

    assert run(catalogue, "remove", "tiny")[0] == 0
    assert "available" in run(catalogue, "list")[1]


@pytest.mark.parametrize("arguments", [["pull"], ["pull", "tiny", "--source", "ftp"], ["frobnicate"], []])
def test_wrong_usage_exits_2(catalogue: Path, arguments: list[str]) -> None:
    assert run(catalogue, *arguments)[0] == 2


def test_folder_that_cannot_be_written(store: ModelStore, catalogue: Path, tmp_path: Path) -> None:
    store.root.write_text("a file where the folder should be")
    code, out, err = run(catalogue, "pull", "tiny")
    assert (code, out) == (1, "")
    assert err.startswith(f"error: cannot work in `{store.root}`: ")
    assert "hint: make it writable" in err
