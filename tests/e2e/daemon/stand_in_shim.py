"""A shim whose daemon is the stand-in: the real shim, starter, endpoint and broker with recording sessions."""

from __future__ import annotations

import sys
from pathlib import Path

from fimble.daemon.place import find_place
from fimble.daemon.shim import attach
from fimble.daemon.starter import Starter
from fimble.errors import FimbleError, render

DAEMON = (sys.executable, str(Path(__file__).with_name("stand_in_daemon.py")), "20")

if __name__ == "__main__":
    try:
        raise SystemExit(attach([("model", "m")], lambda: Starter(find_place(), DAEMON)))
    except FimbleError as error:
        sys.stderr.write(render(error) + "\n")
        raise SystemExit(1) from None
