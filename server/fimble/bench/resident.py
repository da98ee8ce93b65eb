"""Memory of a process as the system counts it. Looks only; what it is compared with is the benches' business."""

from __future__ import annotations

import psutil

MIB = 1 << 20


def resident_mib(process: psutil.Process) -> float:
    return float(round(process.memory_info().rss / MIB, 1))


def peak_mib(process: psutil.Process) -> float | None:
    """Give the high-water mark where the system keeps one (Linux: VmHWM)."""
    try:
        with open(f"/proc/{process.pid}/status", encoding="ascii") as status:  # noqa: PTH123 - not a file of ours
            line = next(line for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) / 1024
