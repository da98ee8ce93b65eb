"""Which names a Python text uses and never defines, by pyflakes. Runs nothing."""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache

from pyflakes import checker, messages

PARSED_CHARS_MAX = 400_000


@lru_cache(maxsize=16)
def undefined_names(text: str) -> frozenset[str]:
    """Give the undefined names; none for a text that Python itself cannot parse (the parse check says so)."""
    if len(text) > PARSED_CHARS_MAX:
        return frozenset()
    try:
        with warnings.catch_warnings():
            # The user's own `"\d"` is not fimble's to warn of.
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            found = checker.Checker(tree, filename="", withDoctest=False).messages
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    kinds = (messages.UndefinedName, messages.UndefinedLocal)
    return frozenset(str(m.message_args[0]) for m in found if isinstance(m, kinds))
