"""When Python looks for cycles of garbage, and when free memory goes back to the system: not while somebody types."""

from __future__ import annotations

import ctypes
import gc
import sys

NEW_OBJECTS_MAX = 10_000
"""How many more containers there may be before the newest are looked at; by default 700, which one `ast.parse` makes.

A request leaves no cycles behind, so that more than this are new only now and then.
"""


def keep_out_of_typing() -> None:
    """Count everything that is there now as permanent, and look at what is new seldom; once a process, at its start.

    A look at all objects of a server takes 40 ms, which a keystroke would wait for.
    """
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_MAX)


def give_back() -> None:
    """Collect what a closed session left, which is full of cycles, and hand the memory back; takes a few ms."""
    gc.collect()
    trim_heap()


# glibc's `malloc_trim`, where the C library has it: hands free heap memory back to the system.
_MALLOC_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


def trim_heap() -> None:
    """Hand free heap memory back to the system where the C library can."""
    if _MALLOC_TRIM is not None:
        _MALLOC_TRIM(0)
