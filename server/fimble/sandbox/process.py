"""Start the launcher, watch its tree, take it down, say what came of it. No decision about what the result means."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from fimble.errors import FimbleError
from fimble.sandbox import launcher
from fimble.sandbox.outcome import Confinement, Limits, Outcome, Verdict

# Often enough that a fork bomb stays small, seldom enough to cost nothing beside a Python start (20 ms).
WATCH_EVERY_MS = 25
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")


def run(
    argv: Sequence[str],
    files: Mapping[str, str | bytes],
    limits: Limits | None = None,
    environment: Mapping[str, str] | None = None,
    read_only_home: Path | None = None,
) -> Outcome:
    """Run `argv` in a fresh folder that holds `files` (relative names), and remove the folder afterwards.

    The program gets no standard input, a folder of its own for HOME and TMPDIR (HOME is `read_only_home` where
    a toolchain needs what lies there), and of the environment only PATH and the locale, with `environment` on
    top. It runs in its own session; when the run ends, by itself or by a limit, every process of it is killed.
    Blocks: call it on a thread.
    Units: see `Limits`.
    Errors: FimbleError where there is no POSIX; ValueError for a file name that leaves the folder.
    """
    if os.name != "posix":
        raise FimbleError("generated programs can only be run on Linux or macOS", "use WSL on Windows")
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="fimble-sandbox-", ignore_cleanup_errors=True) as outer:
        folder = Path(outer).resolve() / "work"
        folder.mkdir()
        _lay_out(folder, files)
        variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        variables |= {"HOME": str(read_only_home or folder), "TMPDIR": str(folder), **(environment or {})}
        plan = {
            "argv": list(argv),
            "folder": str(folder),
            "environment": variables,
            "parent_pid": os.getpid(),
            "cpu_s": max(1, math.ceil(limits.cpu_ms / 1000)),
            "file_bytes_max": limits.file_bytes_max,
            "address_space_bytes": limits.address_space_bytes,
        }
        return _run_plan(plan, limits, Path(outer))


def _lay_out(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise ValueError(f"`{name}` leaves the sandbox's folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))


def _run_plan(plan: dict[str, Any], limits: Limits, outer: Path) -> Outcome:
    read_fd, report_fd = os.pipe()
    plan["report_fd"] = report_fd
    command = [sys.executable, "-I", "-S", launcher.__file__, json.dumps(plan)]
    started_at_s = time.monotonic()
    with (outer / "stdout").open("w+b") as out, (outer / "stderr").open("w+b") as err:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, pass_fds=(report_fd,), start_new_session=True
            )
        finally:
            os.close(report_fd)
        try:
            stopped_by = _watch(process, limits, started_at_s)
        finally:
            _take_down(process)
            with os.fdopen(read_fd, "rb") as report_file:
                report = report_file.read()
        wall_ms = (time.monotonic() - started_at_s) * 1000
        texts = [_head(stream, limits.output_bytes_max) for stream in (out, err)]
    return _outcome(report, stopped_by, texts, wall_ms)


def _watch(process: subprocess.Popen[bytes], limits: Limits, started_at_s: float) -> Verdict | None:
    """Wait for the end; gives the limit that was passed, if one was."""
    while True:
        left_ms = limits.wall_ms - (time.monotonic() - started_at_s) * 1000
        if left_ms <= 0:
            return Verdict.WALL_TIME
        try:
            process.wait(min(left_ms, WATCH_EVERY_MS) / 1000)
            return None
        except subprocess.TimeoutExpired:
            pass
        tree = _descendants(process.pid)
        # Two of them are the launcher's.
        if len(tree) - 1 > limits.n_processes:
            return Verdict.PROCESSES
        if sum(_resident_bytes(child) for child in tree) > limits.memory_bytes:
            return Verdict.MEMORY


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _resident_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _take_down(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole tree. In a PID namespace its first process takes all others along; elsewhere each is found."""
    if process.poll() is None:
        tree = _descendants(process.pid)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except OSError:
            process.kill()
        for child in tree:
            try:
                child.kill()
            except psutil.Error:
                continue
    process.wait()


def _head(stream: Any, n_bytes_max: int) -> str:
    stream.seek(0)
    content: bytes = stream.read(n_bytes_max)
    return content.decode("utf-8", "replace")


def _outcome(report: bytes, stopped_by: Verdict | None, texts: list[str], wall_ms: float) -> Outcome:
    lines = [json.loads(line) for line in report.splitlines()]
    confinement = Confinement(**lines[0]) if lines else Confinement()
    stdout, stderr = texts
    if stopped_by is not None:
        return Outcome(stopped_by, None, None, stdout, stderr, wall_ms, confinement)
    if len(lines) < 2:
        return Outcome(Verdict.NOT_STARTED, None, None, stdout, stderr, wall_ms, confinement)
    code = os.waitstatus_to_exitcode(lines[1]["wait_status"])
    if code < 0:
        verdict = Verdict.CPU_TIME if -code == signal.SIGXCPU else Verdict.SIGNAL
        return Outcome(verdict, None, -code, stdout, stderr, wall_ms, confinement)
    verdict = {0: Verdict.PASSED, launcher.EXIT_NOT_STARTED: Verdict.NOT_STARTED}.get(code, Verdict.FAILED)
    return Outcome(verdict, code, None, stdout, stderr, wall_ms, confinement)
