"""What the shared daemon costs and saves: the same requests with and without it, turn by turn; memory side by side."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from fimble.bench.resident import MIB, resident_mib
from fimble.bench.sample import Times, made_up_document, times
from fimble.bench.wire import MeasuredServer, child_environment, encode, shown_items
from fimble.errors import FimbleError

URI = "file:///bench/sharing.py"
ANSWER = "sum(values)\n"
SCRIPTED = {"engine": "scripted", "delay_ms": 0, "log_level": "error"}
DAEMON = "daemon run"
ALONE_SHARE_MAX, SHIM_MB_MAX = 1.15, 30
"""What sharing may cost: so many times one server of its own, and so much for each shim; the command adds nothing."""
SAMPLE_MS = 5
SETTLE_MS, SETTLE_MS_MAX = 500, 10_000


@dataclass(frozen=True, slots=True)
class Sharing:
    """Times of an empty request and of ghost text, `alone` in one process and `shared` through shim and daemon.

    Memory in MiB, resident: of one server of its own and, with the model loaded once, of daemon, shims and, at
    its highest, one `fimble complete` beside them. `total_share` is (daemon + shims + command) ÷ alone;
    `allowed_mib` is what they may take together (see `ALONE_SHARE_MAX`).
    """

    n_editors: int
    status_alone: Times
    status_shared: Times
    ghost_alone: Times
    ghost_shared: Times
    alone_mib: float | None
    daemon_mib: float | None
    shims_mib: list[float]
    command_mib: float | None
    total_share: float | None
    allowed_mib: float | None


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
        return Sharing(n_editors, *sampled, None, None, [], None, None, None)
    with tempfile.TemporaryDirectory(prefix="fimble-") as folder, _own_daemon(Path(folder), {}) as environment:
        alone_mib, daemon_mib, shims_mib, command_mib = _memory(n_editors, model, environment)
    total_share = round((daemon_mib + sum(shims_mib) + command_mib) / alone_mib, 3)
    allowed_mib = round(ALONE_SHARE_MAX * alone_mib + n_editors * SHIM_MB_MAX * 1e6 / MIB, 1)
    return Sharing(n_editors, *sampled, alone_mib, daemon_mib, shims_mib, command_mib, total_share, allowed_mib)


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


def _memory(n_editors: int, model: str, environment: dict[str, str]) -> tuple[float, float, list[float], float]:
    options = {"model": model, "delay_ms": 0, "log_level": "error"}
    with MeasuredServer(options, environment) as alone:
        _work(alone)
        alone_mib = _settled_mib(psutil.Process(alone.pid))
    with contextlib.ExitStack() as stack:
        editors = [stack.enter_context(MeasuredServer(options, environment, arguments=())) for _ in range(n_editors)]
        for editor in editors:
            _work(editor)
        command_mib = _command_mib(model, environment)
        if command_mib > alone_mib / 2:
            raise FimbleError("`fimble complete` loaded a model of its own beside the daemon")
        daemon = next(p for p in psutil.process_iter() if _is_daemon(p, environment))
        shims_mib = [resident_mib(psutil.Process(editor.pid)) for editor in editors]
        return alone_mib, _settled_mib(daemon), shims_mib, command_mib


def _command_mib(model: str, environment: dict[str, str]) -> float:
    """Give the most that `fimble complete` took, looked at while it runs. Errors: FimbleError if it fails."""
    source = Path(environment["FIMBLE_RUNTIME_DIR"]) / "command.py"
    source.write_text(made_up_document(200), encoding="utf-8")
    place = ("--line", "61", "--column", "9")
    command = [sys.executable, "-m", "fimble", "complete", str(source), *place, "--model", model]
    highest_mib = 0.0
    with subprocess.Popen(
        command, env=child_environment(environment), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        while process.poll() is None:
            with contextlib.suppress(psutil.Error):
                highest_mib = max(highest_mib, resident_mib(psutil.Process(process.pid)))
            time.sleep(SAMPLE_MS / 1000)
        assert process.stderr is not None
        said = process.stderr.read().decode(errors="replace")
    if process.returncode or "warning" in said:
        raise FimbleError(f"`fimble complete` did not go well beside the daemon: {said.strip()}")
    return highest_mib


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


def _settled_mib(process: psutil.Process) -> float:
    """Give resident memory once it stands still: the heap is trimmed a moment after the answer is sent."""
    before_mib, give_up_at_s = resident_mib(process), time.monotonic() + SETTLE_MS_MAX / 1000
    while time.monotonic() < give_up_at_s:
        time.sleep(SETTLE_MS / 1000)
        now_mib = resident_mib(process)
        if abs(now_mib - before_mib) < 1:
            return now_mib
        before_mib = now_mib
    return before_mib
