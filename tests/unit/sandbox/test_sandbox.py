"""Each limit and each wall, with a program that runs against it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from fimble.sandbox.outcome import Limits, Outcome, Verdict
from fimble.sandbox.process import run

MIB = 1 << 20


def run_python(source: str, limits: Limits | None = None, **more: object) -> Outcome:
    return run([sys.executable, "-I", "-B", "program.py"], {"program.py": source}, limits, **more)  # type: ignore[arg-type]


def test_exit_code_zero_passes_and_output_is_kept():
    outcome = run_python("import sys; print('out'); print('err', file=sys.stderr)")
    assert (outcome.verdict, outcome.exit_code) == (Verdict.PASSED, 0)
    assert (outcome.stdout, outcome.stderr) == ("out\n", "err\n")


def test_exception_is_a_failure_with_its_traceback():
    outcome = run_python("assert 1 == 2, 'no'")
    assert (outcome.verdict, outcome.exit_code) == (Verdict.FAILED, 1)
    assert "AssertionError: no" in outcome.stderr


def test_missing_program_is_not_started():
    outcome = run(["/no/such/program"], {})
    assert outcome.verdict is Verdict.NOT_STARTED
    assert "/no/such/program" in outcome.stderr


def test_sleeping_program_ends_at_the_wall_time():
    outcome = run_python("import time; print('before', flush=True); time.sleep(3600)", Limits(wall_ms=700))
    assert outcome.verdict is Verdict.WALL_TIME
    assert outcome.stdout == "before\n"


def test_infinite_loop_ends_at_the_cpu_time():
    assert run_python("while True: pass", Limits(wall_ms=30_000, cpu_ms=1000)).verdict is Verdict.CPU_TIME


def test_program_cannot_ignore_the_wall_time():
    source = (
        "import signal\n"
        "for number in set(range(1, 32)) - {signal.SIGKILL, signal.SIGSTOP}:\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        "while True: pass\n"
    )
    assert run_python(source, Limits(wall_ms=700)).verdict is Verdict.WALL_TIME


def test_memory_bomb_ends_at_the_resident_limit():
    source = "held = []\nwhile True: held.append(bytearray(4 << 20))"
    assert run_python(source, Limits(wall_ms=30_000, memory_bytes=200 * MIB)).verdict is Verdict.MEMORY


def test_one_large_allocation_is_refused_by_the_address_space():
    outcome = run_python("bytearray(2 << 30)", Limits(address_space_bytes=400 * MIB))
    assert outcome.verdict is Verdict.FAILED
    assert "MemoryError" in outcome.stderr


def test_fork_bomb_ends_at_the_process_limit():
    source = "import os, time\nfor _ in range(60):\n  if os.fork() == 0: time.sleep(3600)\ntime.sleep(3600)"
    outcome = run_python(source, Limits(wall_ms=30_000, n_processes=16))
    assert outcome.verdict is Verdict.PROCESSES
    assert not running_with(source_mark="program.py")


def test_daemon_does_not_outlive_the_run():
    source = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "  os.setsid()\n"
        "  if os.fork() == 0: os.execvp('sleep', ['sleep', '3607'])\n"
        "  os._exit(0)\n"
        "time.sleep(0.2)\n"
    )
    assert run_python(source).verdict is Verdict.PASSED
    assert not running_with(source_mark="3607")


def test_writes_go_only_where_the_outcome_says(tmp_path: Path):
    target = tmp_path / "outside.txt"
    outcome = run_python(f"open('inside.txt', 'w').write('x')\nopen({str(target)!r}, 'w').write('x')")
    assert target.exists() is not outcome.confinement.writes
    assert outcome.verdict is (Verdict.FAILED if outcome.confinement.writes else Verdict.PASSED)


def test_outside_files_cannot_be_removed_or_renamed(tmp_path: Path):
    kept = tmp_path / "kept.txt"
    kept.write_text("x")
    outcome = run_python(f"import os\nos.rename({str(kept)!r}, 'taken.txt')")
    assert kept.exists() is outcome.confinement.writes


def test_connections_arrive_only_where_the_outcome_says():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1)
        port = server.getsockname()[1]
        outcome = run_python(f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)")
        arrived = True
        try:
            server.accept()[0].close()
        except TimeoutError:
            arrived = False
    assert arrived is (outcome.confinement.network == "open")


def test_namespaces_are_used_exactly_where_the_system_gives_them():
    probe = "import ctypes; raise SystemExit(0 if ctypes.CDLL(None).unshare(0x70000000) == 0 else 1)"
    given = sys.platform == "linux" and subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
    confinement = run_python("pass").confinement
    assert confinement.tree is given
    assert (confinement.network == "none") is given


def test_large_file_is_refused():
    outcome = run_python("open('big', 'wb').write(bytes(8 << 20))", Limits(file_bytes_max=1 * MIB))
    assert outcome.verdict is Verdict.FAILED
    assert "File too large" in outcome.stderr


def test_output_is_cut_to_its_limit():
    outcome = run_python("print('x' * 100_000)", Limits(output_bytes_max=1000))
    assert outcome.passed
    assert len(outcome.stdout) == 1000


def test_environment_is_not_inherited(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECRET_TOKEN", "s3cret")
    outcome = run_python(
        "import os; print(sorted(os.environ)); print(os.environ['HOME'] == os.getcwd())", environment={"ADDED": "1"}
    )
    assert "SECRET_TOKEN" not in outcome.stdout
    assert "ADDED" in outcome.stdout
    assert outcome.stdout.endswith("True\n")


def test_file_name_outside_the_folder_is_refused():
    with pytest.raises(ValueError, match="leaves the sandbox"):
        run(["true"], {"../evil.py": ""})


def test_folder_is_removed():
    outcome = run_python("import os; print(os.getcwd())")
    assert not Path(outcome.stdout.strip()).exists()


def running_with(source_mark: str) -> list[str]:
    """Give command lines that still run after half a second's grace for the kernel to collect them."""
    give_up_at_s = time.monotonic() + 0.5
    while True:
        found = [
            line
            for process in psutil.process_iter(["cmdline"])
            if source_mark in (line := " ".join(process.info["cmdline"] or []))
            and "fimble-sandbox" not in line
            and "pytest" not in line
        ]
        if not found or time.monotonic() > give_up_at_s:
            return found
