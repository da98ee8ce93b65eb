"""What `fimble daemon` asks of the running daemon. Starts one only where that is the command."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from fimble.daemon import greeting
from fimble.daemon.endpoint import connect
from fimble.daemon.lock import FileLock
from fimble.daemon.place import Place, prepare
from fimble.errors import DaemonError

ANSWER_LIMIT_MS = 5_000
END_LIMIT_MS = 10_000
POLL_MS = 20


def ask(place: Place, command: str, **words: Any) -> Mapping[str, Any] | None:
    """Give the daemon's answer, or None if no daemon answers.

    Errors: DaemonError if it refuses.
    """
    end = connect(place, ANSWER_LIMIT_MS)
    if end is None:
        return None
    connection, token = end
    with contextlib.closing(connection):
        try:
            first = greeting.hello(greeting.CONTROL, token, command=command, **words)
            told, _splitter, _early = greeting.exchange(connection, first)
        except OSError:
            return None
    if told["fimble"] != greeting.WELCOME:
        raise DaemonError(f"the daemon refused: {told.get('reason')}", "`--force` stops it all the same")
    return told


def status(place: Place) -> Mapping[str, Any] | None:
    """Give what the daemon says of itself, or None if none runs."""
    told = ask(place, "status")
    return None if told is None else told["status"]


def is_running(place: Place) -> bool:
    """Say whether some daemon holds the lock, whether or not it answers."""
    if not place.directory.exists():
        return False
    prepare(place)
    lock = FileLock(place.lock_path)
    if not lock.try_acquire():
        return True
    lock.release()
    return False


def stop(place: Place, command: str = "stop", *, force: bool = False) -> bool:
    """End the daemon and wait until it is gone; False if none ran.

    Errors: DaemonError if editors use it and `force` is not given, or if it does not end.
    """
    if not is_running(place):
        return False
    told = ask(place, command, force=force)
    if told is None and not force:
        raise DaemonError("a daemon runs but does not answer", "`--force` kills it")
    if told is None:
        _kill(place)
    if not _wait_for_end(place):
        if not force:
            raise DaemonError("the daemon does not end", "`--force` kills it")
        _kill(place)
        if not _wait_for_end(place):
            raise DaemonError(f"the daemon cannot be ended; its lock is `{place.lock_path}`")
    return True


def _wait_for_end(place: Place) -> bool:
    deadline_at_s = time.monotonic() + END_LIMIT_MS / 1000
    while is_running(place):
        if time.monotonic() > deadline_at_s:
            return False
        time.sleep(POLL_MS / 1000)
    return True


def _kill(place: Place) -> None:
    """End the process that the lock names. It holds the lock, so the id has not passed to another process."""
    pid = FileLock(place.lock_path).holder_pid()
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
