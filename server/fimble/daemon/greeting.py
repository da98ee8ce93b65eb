"""The few words before the LSP bytes: who comes, for what, and the daemon's answer. Plain JSON in frames."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from typing import Any

from fimble import __version__
from fimble.daemon.framing import FrameError, FrameSplitter, frame
from fimble.errors import DaemonError

GREETING_BYTES_MAX = 64 * 1024
RECEIVE_BYTES = 64 * 1024

SESSION, CONTROL = "session", "control"
WELCOME, LEAVING, OTHER_VERSION, REFUSED = "welcome", "leaving", "other-version", "refused"
GOODBYE = "$/fimble/goodbye"
"""The daemon's last message to a shim when it ends on purpose; it never reaches the editor."""


def hello(role: str, token: str, **more: Any) -> bytes:
    """Give the client's first frame."""
    words = {"fimble": "hello", "version": __version__, "role": role, "token": token, "pid": os.getpid(), **more}
    return frame(json.dumps(words).encode())


def answer(kind: str, **more: Any) -> bytes:
    """Give the daemon's first frame."""
    words = {"fimble": kind, "version": __version__, "pid": os.getpid(), **more}
    return frame(json.dumps(words).encode())


def parse(body: bytes) -> Mapping[str, Any]:
    """Read one greeting. Errors: DaemonError if it is none."""
    try:
        words = json.loads(body)
    except ValueError as error:
        raise DaemonError("the other end does not speak fimble's greeting") from error
    if not isinstance(words, dict) or "fimble" not in words:
        raise DaemonError("the other end does not speak fimble's greeting")
    return words


def exchange(connection: socket.socket, first: bytes) -> tuple[Mapping[str, Any], FrameSplitter, list[bytes]]:
    """Send `first` and wait for the answer (the socket's own time limit holds).

    Gives the answer, the splitter to read on with, and the messages that came right behind it.
    Errors: DaemonError if the other end says something else; OSError if it is gone.
    """
    connection.sendall(first)
    splitter = FrameSplitter()
    while True:
        data = connection.recv(RECEIVE_BYTES)
        if not data:
            raise ConnectionResetError("the daemon closed the connection before it answered")
        try:
            bodies = [body for body in splitter.feed(data) if isinstance(body, bytes)]
        except FrameError as error:
            raise DaemonError(f"the daemon's answer cannot be read: {error}") from error
        if bodies:
            return parse(bodies[0]), splitter, bodies[1:]
