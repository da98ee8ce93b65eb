"""What the entry points of a server set for their whole process."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

from fimble import garbage

SCRIPT = """
import gc
from fimble import garbage
garbage.keep_out_of_typing()
print(gc.get_freeze_count() > 1_000, gc.get_threshold()[0] == garbage.NEW_OBJECTS_MAX, gc.isenabled())
"""


def test_what_is_loaded_is_permanent_and_the_collector_stays_on() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["True", "True", "True"]


def test_cycles_are_gone_once_memory_is_given_back() -> None:
    class Node:
        pass

    gc.disable()  # nothing else is to collect it
    try:
        node = Node()
        node.itself = node
        alive = weakref.ref(node)
        del node
        assert alive() is not None
        garbage.give_back()
    finally:
        gc.enable()
    assert alive() is None
