"""How a command that needs the model once asks the daemon that runs already, and when it does not."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import TypeVar

from fimble.daemon import visit
from fimble.daemon.visit import Visit
from fimble.errors import DaemonError
from fimble.settings import Settings

Answer = TypeVar("Answer")


def add_sharing_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-share", action="store_true", help="load the model into this process even if a daemon holds it"
    )


def ask_running(settings: Settings, ask: Callable[[Visit], Answer], *, share: bool) -> Answer | None:
    """Give what `ask` got from the running daemon, or None where the command must run the model itself.

    That is so where no daemon runs (one question is no reason to start one), where it cannot be joined or
    ends in the middle, and for a remote engine, which takes no memory and whose key is in this environment.
    Errors: EngineError with the daemon's reason if the model is not to be had.
    """
    if not share or settings.is_remote:
        return None
    try:
        found = visit.find(settings)
        if found is None:
            return None
        with found:
            found.begin(os.environ.get("LANG", ""))
            return ask(found)
    except DaemonError as error:
        reason = f"{error.message} (hint: {error.hint})" if error.hint else error.message
        sys.stderr.write(f"warning: {reason}; this command runs the model itself\n")
        return None
