"""Numbers on the command line, for `type=` of an argument. Nothing but reading them."""

from __future__ import annotations

import argparse


def count_from_1(text: str) -> int:
    """Read a whole number of at least 1. Errors: ArgumentTypeError (exit 2)."""
    try:
        n = int(text)
    except ValueError:
        n = 0
    if n < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number of at least 1")
    return n
