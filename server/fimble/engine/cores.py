"""What processor a generation runs on. Reads the system only."""

from __future__ import annotations

import platform
from pathlib import Path

import psutil


def n_cores() -> int:
    """Give the physical cores, or what the system counts instead."""
    return psutil.cpu_count(logical=False) or psutil.cpu_count() or 1


def cpu_name() -> str:
    """Give what the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n")
    except OSError:
        return platform.processor() or "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
