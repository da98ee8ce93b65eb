"""What a process and its children spend, and whether they rest. Looks only."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil

from fimble.bench.resident import peak_mib, resident_mib

QUIET_POLL_S = 0.1
QUIET_SHARE_MAX = 0.05
"""A tree that uses no more than this share of a core has nothing left to do."""
QUIET_LIMIT_S = 15.0


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds of a process tree so far and the most memory it was seen to hold."""

    cpu_s: float
    peak_mib: float


def spent(pid: int) -> Spent:
    """Look at a process and its children."""
    cpu_s, highest_mib = 0.0, 0.0
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.Error:
        return Spent(0.0, 0.0)
    for process in processes:
        try:
            times = process.cpu_times()
            cpu_s += times.user + times.system
            highest_mib += peak_mib(process) or resident_mib(process)
        except psutil.Error:
            continue
    return Spent(cpu_s, round(highest_mib, 1))


def wait_quiet(pid: int) -> None:
    """Wait until a process tree has nothing to do, so that what comes next has the machine for itself."""
    give_up_at_s = time.monotonic() + QUIET_LIMIT_S
    before = spent(pid).cpu_s
    while time.monotonic() < give_up_at_s:
        time.sleep(QUIET_POLL_S)
        now = spent(pid).cpu_s
        if now - before <= QUIET_SHARE_MAX * QUIET_POLL_S:
            return
        before = now


def rest_mib(process: psutil.Process, held_s: float) -> float:
    """Give what is resident once nothing is worked on, and what is held for `held_s` is let go of. Waits for it."""
    wait_quiet(process.pid)
    if held_s:
        time.sleep(held_s)
        wait_quiet(process.pid)
    return resident_mib(process)
