"""One way to log: to stderr, since stdout is the protocol. Document text never enters a record."""

from __future__ import annotations

import logging
import sys

LOGGER = logging.getLogger("fimble")


def configure(level_name: str) -> None:
    """Send records of `level_name` and above to stderr, once, however often this is called."""
    if not LOGGER.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        LOGGER.addHandler(handler)
        LOGGER.propagate = False
    LOGGER.setLevel(level_name.upper())
    # pygls logs messages, and at ERROR the parameters of one that failed: that is document text.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
