"""What the entry points of a server set for their whole process."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc
from fimble import garbage
garbage.keep_out_of_typing()
print(gc.get_freeze_count() > 1_000, gc.get_threshold()[0] == garbage.NEW_OBJECTS_MAX, gc.isenabled())
"""


def test_what_is_loaded_is_permanent_and_the_collector_stays_on() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["True", "True", "True"]
