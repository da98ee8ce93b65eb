"""Open the two ends of the daemon's connection: a Unix socket, or loopback TCP with a token on Windows."""

from __future__ import annotations

import json
import os
import socket
from typing import NamedTuple

from fimble.daemon.peer import check_peer
from fimble.daemon.place import WINDOWS, Place, check_socket, prepare

BACKLOG_CONNECTIONS = 64
REMOVED = -1
"""The inode of a socket whose file was removed as soon as it was bound: it is not in place, and is bound again."""


class Listener(NamedTuple):
    """A bound socket, the token that clients must show (empty: the kernel vouches for them), and its file's inode."""

    socket: socket.socket
    token: str
    inode: int


def connect(place: Place, timeout_ms: int) -> tuple[socket.socket, str] | None:
    """Give a connection to the daemon and the token to show, or None if nobody listens.

    Errors: UntrustedPlaceError if what is there is not the user's own.
    """
    if WINDOWS:
        return _connect_tcp(place, timeout_ms)
    if not place.directory.exists():
        return None
    prepare(place)
    if not check_socket(place.socket_path):
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_ms / 1000)
    try:
        connection.connect(str(place.socket_path))
        check_peer(connection)
    except (ConnectionError, FileNotFoundError, TimeoutError, BlockingIOError):
        # Stale: its file outlived the daemon that bound it. The next daemon replaces it under the lock.
        connection.close()
        return None
    except BaseException:
        connection.close()
        raise
    return connection, ""


def listen(place: Place) -> Listener:
    """Bind the place; the caller holds the daemon's lock, so whatever lies there is stale."""
    prepare(place)
    if WINDOWS:
        return _listen_tcp(place)
    place.socket_path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(place.socket_path))
    finally:
        os.umask(before)
    listener.listen(BACKLOG_CONNECTIONS)
    try:
        inode = place.socket_path.stat().st_ino
    except FileNotFoundError:
        inode = REMOVED
    return Listener(listener, "", inode)


def is_in_place(place: Place, listener: Listener) -> bool:
    """Say whether the file that clients look for is still this listener's."""
    try:
        found = (place.port_path if WINDOWS else place.socket_path).stat().st_ino
    except OSError:
        return False
    return found == listener.inode


def remove(place: Place) -> None:
    (place.port_path if WINDOWS else place.socket_path).unlink(missing_ok=True)


def _connect_tcp(place: Place, timeout_ms: int) -> tuple[socket.socket, str] | None:
    try:
        told = json.loads(place.port_path.read_text(encoding="utf-8"))
        connection = socket.create_connection(("127.0.0.1", int(told["port"])), timeout_ms / 1000)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return connection, str(told["token"])


def _listen_tcp(place: Place) -> Listener:
    import secrets

    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG_CONNECTIONS)
    token = secrets.token_urlsafe(32)
    temporary = place.port_path.with_suffix(".part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"port": listener.getsockname()[1], "token": token}, file)
    temporary.replace(place.port_path)
    return Listener(listener, token, place.port_path.stat().st_ino)
