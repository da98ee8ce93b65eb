"""How many processor cores a generation takes. Reads the system only."""

from __future__ import annotations

import psutil


def n_cores() -> int:
    """Give the physical cores, or what the system counts instead."""
    return psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
