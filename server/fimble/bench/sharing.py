"""What the shared daemon costs and saves: the same requests with and without it, turn by turn; memory side by side."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from fimble.bench.sample import Times, made_up_document, times
from fimble.bench.wire import MeasuredServer, encode, shown_items
from fimble.errors import FimbleError

URI = "file:///bench/sharing.py"
ANSWER = "sum(values)\n"
SCRIPTED = {"engine": "scripted", "delay_ms": 0, "log_level": "error"}
MIB = 1 << 20
DAEMON = "daemon run"


@dataclass(frozen=True, slots=True)
class Sharing:
    """Times of an empty request and of ghost text, `alone` in one process and `shared` through shim and daemon.

    Memory in MiB, resident: of one server of its own and, with the model loaded once, of daemon and shims.
    `total_share` is (daemon + shims) ÷ alone.
    """

    n_editors: int
    status_alone: Times
    status_shared: Times
    ghost_alone: Times
    ghost_shared: Times
    alone_mib: float | None
    daemon_mib: float | None
    shims_mib: list[float]
    total_share: float | None


def measure(n_requests: int, n_editors: int, model: str | None) -> Sharing:
    """Measure times with a model that answers at once and, if `model` is given, memory with that model.

    Errors: FimbleError if a server fails.
    """
    with tempfile.TemporaryDirectory(prefix="fimble-") as folder:
        script = Path(folder) / "script.json"
        script.write_text(json.dumps({"answers": [{"text": ANSWER}]}), encoding="utf-8")
        with _own_daemon(Path(folder), {"FIMBLE_SCRIPT": str(script)}) as environment:
            sampled = _times(n_requests, environment)
    if model is None:
        return Sharing(n_editors, *sampled, alone_mib=None, daemon_mib=None, shims_mib=[], total_share=None)
    with tempfile.TemporaryDirectory(prefix="fimble-") as folder, _own_daemon(Path(folder), {}) as environment:
        alone_mib, daemon_mib, shims_mib = _memory(n_editors, model, environment)
    total_share = round((daemon_mib + sum(shims_mib)) / alone_mib, 3)
    return Sharing(n_editors, *sampled, alone_mib, daemon_mib, shims_mib, total_share)


@contextlib.contextmanager
def _own_daemon(folder: Path, more: dict[str, str]) -> Iterator[dict[str, str]]:
    """Give the environment of a daemon apart from the user's, which ends with the measurement."""
    folder.chmod(0o700)
    environment = {"FIMBLE_RUNTIME_DIR": str(folder), **more}
    try:
        yield environment
    finally:
        command = [sys.executable, "-m", "fimble", "daemon", "stop", "--force"]
        subprocess.run(command, env=os.environ | environment, capture_output=True, check=False)


def _times(n_requests: int, environment: dict[str, str]) -> tuple[Times, Times, Times, Times]:
    text = made_up_document(2_000)
    samples: dict[str, list[float]] = {}
    with (
        MeasuredServer(SCRIPTED, environment) as alone,
        MeasuredServer(SCRIPTED, environment, arguments=("--set", "engine=scripted")) as shared,
    ):
        servers = {"alone": alone, "shared": shared}
        for server in servers.values():
            server.wait_ready()
            item = {"uri": URI, "languageId": "python", "version": 1, "text": text}
            server.notify("textDocument/didOpen", {"textDocument": item})
        for number in range(n_requests):
            # Turn by turn, so that what else the machine does meets both.
            for name, server in servers.items():
                samples.setdefault(f"status {name}", []).append(server.timed_request("fimble/status", {})[1])
                samples.setdefault(f"ghost {name}", []).append(_ghost_ms(server, number))
    names = ("status alone", "status shared", "ghost alone", "ghost shared")
    first, second, third, fourth = (times(samples[name]) for name in names)
    return first, second, third, fourth


def _ghost_ms(server: MeasuredServer, number: int) -> float:
    """Type a line that was not there before and ask behind it, in one write as editors do."""
    start = {"line": number, "character": 0}
    change = {"range": {"start": start, "end": start}, "text": f"total_{number} = \n"}
    params: dict[str, Any] = {"textDocument": {"uri": URI, "version": number + 2}, "contentChanges": [change]}
    typed = encode({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": params})
    place = {"line": number, "character": len(f"total_{number} = ")}
    asked = {"textDocument": {"uri": URI}, "position": place, "context": {"triggerKind": 2}}
    result, took_ms = server.timed_request("textDocument/inlineCompletion", asked, before=typed)
    if not shown_items(result):
        raise FimbleError("no ghost text was shown, so nothing was measured")
    return took_ms


def _memory(n_editors: int, model: str, environment: dict[str, str]) -> tuple[float, float, list[float]]:
    options = {"model": model, "delay_ms": 0, "log_level": "error"}
    with MeasuredServer(options, environment) as alone:
        _work(alone)
        alone_mib = _resident_mib(psutil.Process(alone.pid))
    with contextlib.ExitStack() as stack:
        editors = [stack.enter_context(MeasuredServer(options, environment, arguments=())) for _ in range(n_editors)]
        for editor in editors:
            _work(editor)
        daemon = next(p for p in psutil.process_iter() if _is_daemon(p, environment))
        return alone_mib, _resident_mib(daemon), [_resident_mib(psutil.Process(e.pid)) for e in editors]


def _work(server: MeasuredServer) -> None:
    """Load the model and let it answer, so that its buffers are there."""
    server.wait_ready()
    item = {"uri": URI, "languageId": "python", "version": 1, "text": made_up_document(200)}
    server.notify("textDocument/didOpen", {"textDocument": item})
    for line in (20, 60, 100):
        asked = {"textDocument": {"uri": URI}, "position": {"line": line, "character": 8}}
        server.request("textDocument/inlineCompletion", {**asked, "context": {"triggerKind": 2}})


def _is_daemon(process: psutil.Process, environment: dict[str, str]) -> bool:
    try:
        mine = process.environ().get("FIMBLE_RUNTIME_DIR") == environment["FIMBLE_RUNTIME_DIR"]
        return mine and DAEMON in " ".join(process.cmdline())
    except (psutil.Error, OSError):
        return False


def _resident_mib(process: psutil.Process) -> float:
    return float(round(process.memory_info().rss / MIB, 1))
