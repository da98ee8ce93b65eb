"""Where the user's daemon is found, and whether the place can be trusted. Opens no connection."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import NamedTuple

from fimble.errors import UntrustedPlaceError

RUNTIME_DIR_VARIABLE = "FIMBLE_RUNTIME_DIR"
LOG_VARIABLE = "FIMBLE_DAEMON_LOG"
ENVIRONMENT_THAT_DIVIDES = ("FIMBLE_DATA_DIR", "FIMBLE_SCRIPT")
"""Whoever sets these wants other models or answers: such shims share a daemon of their own."""

SOCKET_PATH_BYTES_MAX = 100
"""`sun_path` holds 104 bytes on macOS and 108 on Linux, the closing zero included. Source: unix(7), unix(4)."""

WINDOWS = sys.platform == "win32"
LINUX = sys.platform.startswith("linux")


class Place(NamedTuple):
    """The files of one daemon. On Windows `port_path` names the loopback port and the token instead of a socket."""

    directory: Path
    name: str

    @property
    def log_path(self) -> Path:
        override = os.environ.get(LOG_VARIABLE)
        if override:
            return Path(override)
        if os.environ.get(RUNTIME_DIR_VARIABLE):
            return self.directory / f"{self.name}.log"
        import platformdirs

        return Path(platformdirs.user_log_dir("fimble", appauthor=False)) / f"{self.name}.log"

    @property
    def socket_path(self) -> Path:
        return self.directory / f"{self.name}.sock"

    @property
    def port_path(self) -> Path:
        return self.directory / f"{self.name}.port"

    @property
    def http_token_path(self) -> Path:
        """The token that HTTP clients must send."""
        return self.directory / f"{self.name}.http-token"

    @property
    def lock_path(self) -> Path:
        """Held by the daemon as long as it lives."""
        return self.directory / f"{self.name}.lock"

    @property
    def start_lock_path(self) -> Path:
        """Held by whoever starts a daemon, so that one is started."""
        return self.directory / f"{self.name}.start.lock"


def find_place() -> Place:
    """Give the place for this user and this environment; makes nothing.

    Errors: UntrustedPlaceError if its path is too long for a socket.
    """
    name = "daemon"
    dividing = [os.environ.get(variable, "") for variable in ENVIRONMENT_THAT_DIVIDES]
    if any(dividing):
        import hashlib

        name += "-" + hashlib.sha256("\0".join(dividing).encode()).hexdigest()[:8]
    place = Place(_directory(), name)
    if len(os.fsencode(place.socket_path)) > SOCKET_PATH_BYTES_MAX and not WINDOWS:
        raise UntrustedPlaceError(
            f"the path `{place.directory}` is too long for a socket", f"set `{RUNTIME_DIR_VARIABLE}` to a shorter one"
        )
    return place


def _directory() -> Path:
    if override := os.environ.get(RUNTIME_DIR_VARIABLE):
        return Path(override)
    if LINUX:
        return _linux_directory()
    import platformdirs

    return Path(platformdirs.user_runtime_dir("fimble", appauthor=False))


def _linux_directory() -> Path:
    """Give the place that the XDG specification names, or one of the user's own where there is no session.

    Not from platformdirs, which warns on stderr without a session and takes time to import.
    Source: XDG Base Directory Specification, `XDG_RUNTIME_DIR`; systemd's pam_systemd(8) for its value.
    """
    base = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    if Path(base).is_dir():
        return Path(base) / "fimble"
    return Path(os.environ.get("TMPDIR") or "/tmp") / f"fimble-{os.getuid()}"  # noqa: S108 - `prepare` checks whose it is


def prepare(place: Place) -> None:
    """Make the directory, for the user alone.

    Errors: UntrustedPlaceError if it is there and others may write to it or own it.
    """
    place.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if WINDOWS:
        return  # the user's runtime directory lies in the profile, which only the user may read
    status = place.directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise UntrustedPlaceError(
            f"`{place.directory}` does not belong to you", f"remove it, or set `{RUNTIME_DIR_VARIABLE}`"
        )
    above = place.directory.parent.stat()
    if above.st_uid not in (0, os.getuid()) or (above.st_mode & 0o022 and not above.st_mode & stat.S_ISVTX):
        raise UntrustedPlaceError(
            f"`{place.directory.parent}` lets other users put something else in place of `{place.directory.name}`",
            f"set `{RUNTIME_DIR_VARIABLE}` to a directory of your own",
        )
    if status.st_mode & 0o077:
        raise UntrustedPlaceError(f"`{place.directory}` is open to other users", f"run `chmod 700 {place.directory}`")


def check_socket(path: Path) -> bool:
    """Say whether a socket is there, and refuse one that others may write to.

    Errors: UntrustedPlaceError if it is no socket, another user's, or open to others.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISSOCK(status.st_mode):
        raise UntrustedPlaceError(f"`{path}` is not a socket", "remove it")
    if status.st_uid != os.getuid():
        raise UntrustedPlaceError(
            f"the socket `{path}` belongs to another user", "remove it, or tell who runs this machine"
        )
    if status.st_mode & 0o022:
        raise UntrustedPlaceError(f"the socket `{path}` can be written by other users", "remove it")
    return True
