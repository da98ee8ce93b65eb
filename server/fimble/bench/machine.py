"""What a figure was measured on. Reads the machine; measures nothing."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path
from typing import Any

import psutil

from fimble import __version__
from fimble.engine.cores import n_cores


def describe() -> dict[str, Any]:
    """Give what must stand beside a figure for it to mean anything."""
    return {
        "cpu": _cpu_name(),
        "n_cores": n_cores(),
        "load_1min": round(psutil.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "ctranslate2": importlib.metadata.version("ctranslate2"),
        "fimble": __version__,
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n")
    except OSError:
        return platform.processor() or "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
