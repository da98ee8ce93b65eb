"""When Python looks for cycles of garbage: not while somebody types. Collects nothing itself."""

from __future__ import annotations

import gc

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
