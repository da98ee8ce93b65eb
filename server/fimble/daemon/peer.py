"""Who is at the other end of a Unix socket, as the kernel says. Takes nobody's word."""

from __future__ import annotations

import os
import socket
import struct
import sys

from fimble.errors import UntrustedPlaceError

_XUCRED = struct.Struct("=IIh16I")
"""`struct xucred`: version, uid, number of groups, groups. Source: macOS sys/ucred.h."""
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1


def peer_uid(connection: socket.socket) -> int | None:
    """Give the user id of the process at the other end, or None where the system does not say."""
    uid: int | None = None
    if sys.platform == "linux":
        data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        uid = struct.unpack("3i", data)[1]
    elif sys.platform == "darwin":
        data = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED.size)
        uid = _XUCRED.unpack_from(data.ljust(_XUCRED.size, b"\0"))[1]
    return uid


def check_peer(connection: socket.socket) -> None:
    """Refuse an end of a Unix socket that runs as another user. Errors: UntrustedPlaceError."""
    if connection.family != getattr(socket, "AF_UNIX", None):
        return
    uid = peer_uid(connection)
    if uid is not None and uid != os.getuid():
        raise UntrustedPlaceError(f"the other end of the socket runs as user {uid}", "it is refused")
