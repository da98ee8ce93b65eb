"""What a figure was measured on. Reads the machine; measures nothing."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

import psutil

from fimble import __version__
from fimble.engine.cores import cpu_name, n_cores


def describe() -> dict[str, Any]:
    """Give what must stand beside a figure for it to mean anything."""
    return {
        "cpu": cpu_name(),
        "n_cores": n_cores(),
        "load_1min": round(psutil.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "ctranslate2": importlib.metadata.version("ctranslate2"),
        "fimble": __version__,
    }
