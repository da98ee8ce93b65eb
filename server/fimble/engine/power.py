"""Whether the machine runs on its battery. Reads the system; the typing path does not ask."""

from __future__ import annotations

import psutil


def on_battery() -> bool:
    """Say so where the system tells; a machine without a battery is not."""
    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, RuntimeError):
        return False
    return battery is not None and battery.power_plugged is False
