"""The life of the daemon's process: its lock, its log's size, its signals, its end. Serves nobody itself."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from fimble.daemon.broker import Broker, MakeSession
from fimble.daemon.lock import FileLock
from fimble.daemon.place import Place, prepare
from fimble.daemon.starter import EXIT_ALREADY_RUNNING
from fimble.log import LOGGER

LOG_BYTES_MAX = 5_000_000
LOG_CHECK_S = 30.0
END_LIMIT_S = 2.0


def run_daemon(
    place: Place,
    make_session: MakeSession,
    idle_exit_s: float,
    describe: Callable[[], dict[str, Any]] = dict,
    beside: Callable[[Broker], Awaitable[None]] | None = None,
) -> int:
    """Be the user's daemon until idle or told to leave; gives the exit code. `beside` runs as long as it does.

    Errors: UntrustedPlaceError if the runtime directory is not the user's own.
    """
    prepare(place)
    # The log is a convenience: a full disk must not end anybody's session.
    logging.raiseExceptions = False
    lock = FileLock(place.lock_path)
    if not lock.try_acquire():
        LOGGER.info("a daemon runs already")
        return EXIT_ALREADY_RUNNING
    try:
        lock.name_holder()
        asyncio.run(_serve(Broker(place, make_session, idle_exit_s, describe), beside))
    finally:
        lock.release()
    return 0


async def _serve(broker: Broker, beside: Callable[[Broker], Awaitable[None]] | None) -> None:
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, broker.leave, "stop")
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    tasks = [asyncio.ensure_future(_keep_log_small())]
    if beside is not None:
        tasks.append(asyncio.ensure_future(_guarded(beside(broker))))
    try:
        await broker.run()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=END_LIMIT_S)


async def _guarded(work: Awaitable[None]) -> None:
    """Run what is beside the sessions; its end must not be theirs."""
    try:
        await work
    except Exception:
        LOGGER.exception("a part beside the sessions failed")


async def _keep_log_small() -> None:
    """Start the log afresh in place when it has grown: it is this process's stderr, so it cannot be replaced."""
    while True:
        await asyncio.sleep(LOG_CHECK_S)
        try:
            if os.fstat(2).st_size > LOG_BYTES_MAX:
                os.ftruncate(2, 0)
        except OSError:
            continue
