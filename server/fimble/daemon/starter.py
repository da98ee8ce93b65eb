"""Find the user's daemon, or start one. Runs in shims and in the command line: no heavy imports."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fimble.daemon import greeting
from fimble.daemon.endpoint import connect
from fimble.daemon.framing import FrameSplitter
from fimble.daemon.lock import FileLock
from fimble.daemon.place import Place, prepare
from fimble.errors import DaemonError, OtherVersionError, UntrustedPlaceError

if TYPE_CHECKING:
    import subprocess

DAEMON_COMMAND = (sys.executable, "-m", "fimble", "daemon", "run")
CONNECT_TIMEOUT_MS = 5_000
START_LIMIT_MS = 20_000
"""A cold start imports the language server; on a busy machine with a cold disk that takes seconds."""
POLL_MS = 20
LOG_BYTES_MAX = 1_000_000

EXIT_ALREADY_RUNNING = 3
"""Exit code of a daemon that found another one holding the lock."""


class Joined(NamedTuple):
    """An open session: the socket, what came with the welcome, and the splitter to read on with."""

    connection: socket.socket
    welcome: Mapping[str, Any]
    splitter: FrameSplitter
    early: Sequence[bytes]


class Starter:
    """Joins the daemon of `place`, starting `command` where there is none."""

    def __init__(self, place: Place, command: Sequence[str] = DAEMON_COMMAND) -> None:
        self.place = place
        self.command = command
        self.child: subprocess.Popen[bytes] | None = None

    def join(self, role: str, **words: Any) -> Joined:
        """Give an open session with the daemon.

        Errors: OtherVersionError if a busy daemon of another version runs; UntrustedPlaceError; DaemonError
        if none can be started.
        """
        deadline_at_s = time.monotonic() + START_LIMIT_MS / 1000
        prepare(self.place)
        joined = self.try_join(role, **words)
        if joined is not None:
            return joined
        if self.child is not None:
            self.child.poll()  # reap the one that crashed; how it ended does not concern its successor
            self.child = None
        with FileLock(self.place.start_lock_path):
            while time.monotonic() < deadline_at_s:
                joined = self.try_join(role, **words)
                if joined is not None:
                    return joined
                self._keep_starting()
                time.sleep(POLL_MS / 1000)
        raise DaemonError("the daemon does not answer", "`fimble daemon restart --force` ends it and starts another")

    def try_join(self, role: str, **words: Any) -> Joined | None:
        """Give an open session with the running daemon, or None if none answers."""
        end = connect(self.place, CONNECT_TIMEOUT_MS)
        if end is None:
            return None
        connection, token = end
        try:
            told, splitter, early = greeting.exchange(connection, greeting.hello(role, token, **words))
        except OSError:
            connection.close()
            return None
        except BaseException:
            connection.close()
            raise
        if told["fimble"] == greeting.WELCOME:
            connection.settimeout(None)
            return Joined(connection, told, splitter, early)
        connection.close()
        if told["fimble"] == greeting.LEAVING:
            return None
        if told["fimble"] == greeting.OTHER_VERSION:
            raise OtherVersionError(
                f"the running daemon is fimble {told['version']} and has {told.get('n_sessions')} editors",
                "close them, or run `fimble daemon restart --force`",
            )
        raise UntrustedPlaceError(f"the daemon refused: {told.get('reason', 'no reason given')}")

    def _keep_starting(self) -> None:
        """Spawn the daemon once; later calls only look whether it still lives."""
        if self.child is not None:
            exit_code = self.child.poll()
            if exit_code is None:
                return
            if exit_code not in (0, EXIT_ALREADY_RUNNING):
                self.child = None
                raise DaemonError(
                    f"the daemon ended with code {exit_code} while it started", "`fimble daemon logs` shows why"
                )
            # The one that holds the lock is about to leave or to bind its socket again: look less often.
            time.sleep(10 * POLL_MS / 1000)
        self.child = spawn(self.command, self.place.log_path)


def spawn(command: Sequence[str], log_path: Path) -> subprocess.Popen[bytes]:
    """Start `command` detached from this process and its terminal, with its stderr in the log."""
    import subprocess

    with _open_log(log_path) as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # A daemon must not keep the folder of the first editor from being unmounted.
            cwd=os.sep,
            start_new_session=True,
        )


def _open_log(path: Path) -> Any:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.stat().st_size > LOG_BYTES_MAX:
            path.replace(path.with_suffix(".log.1"))
        return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab", buffering=0)  # noqa: PTH123
    except OSError:
        # A full or read-only disk costs the log, not the daemon.
        return open(os.devnull, "ab", buffering=0)  # noqa: PTH123
