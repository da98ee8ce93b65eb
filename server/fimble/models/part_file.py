"""A file that is being downloaded: hashed while written, bounded in size, resumable. No network here."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path
from types import TracebackType

from fimble.errors import DiskFullError, HashMismatchError
from fimble.models.record import CHUNK_BYTES


class SourceError(Exception):
    """One source failed; the next one may do. The text is the reason, as a person reads it."""


class PartFile:
    """The first bytes of a file, on disk under a temporary name; use it as a context manager."""

    def __init__(self, path: Path, n_bytes_expected: int, n_bytes_kept_max: int | None = None) -> None:
        """Open `path`, keeping what is there (at most `n_bytes_kept_max`): an earlier run was interrupted."""
        self.path = path
        self.n_bytes_expected = n_bytes_expected
        self.n_bytes = 0
        self._digest = hashlib.sha256()
        self._file = path.open("r+b" if path.exists() else "w+b")
        self._take_over(n_bytes_expected if n_bytes_kept_max is None else n_bytes_kept_max)

    def __enter__(self) -> PartFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()

    @property
    def n_bytes_left(self) -> int:
        return self.n_bytes_expected - self.n_bytes

    def write(self, chunk: bytes) -> None:
        """Append.

        Errors: SourceError if the source gives more than the file has; DiskFullError.
        """
        if len(chunk) > self.n_bytes_left:
            self.restart()
            raise SourceError(f"it gives more than the {self.n_bytes_expected} bytes of the file")
        try:
            self._append(chunk)
        except OSError as error:
            raise disk_error(error, self.path) from error
        self._digest.update(chunk)
        self.n_bytes += len(chunk)

    def flush(self) -> None:
        """Bring the bytes to the disk, so that a note about them is never ahead of them."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise disk_error(error, self.path) from error

    def restart(self) -> None:
        """Forget all bytes."""
        self._file.seek(0)
        self._file.truncate()
        self._digest = hashlib.sha256()
        self.n_bytes = 0

    def finish(self, target: Path, sha256: str, what: str) -> None:
        """Rename the complete file to `target` if its hash agrees.

        Errors: SourceError if bytes are missing; HashMismatchError after the file was removed.
        """
        if self.n_bytes_left:
            raise SourceError(f"it ended after {self.n_bytes} of {self.n_bytes_expected} bytes")
        self.flush()
        self._file.close()
        found = self._digest.hexdigest()
        if found != sha256:
            self.path.unlink()
            raise HashMismatchError(what, sha256, found)
        self.path.replace(target)

    def _append(self, chunk: bytes) -> None:
        self._file.write(chunk)

    def _take_over(self, n_bytes_kept_max: int) -> None:
        while self.n_bytes < n_bytes_kept_max:
            chunk = self._file.read(min(CHUNK_BYTES, n_bytes_kept_max - self.n_bytes))
            if not chunk:
                break
            self._digest.update(chunk)
            self.n_bytes += len(chunk)
        self._file.seek(self.n_bytes)
        self._file.truncate()


def check_disk_space(folder: Path, n_bytes_needed: int, what: str) -> None:
    """Errors: DiskFullError if `folder`'s disk has less room than that."""
    free = shutil.disk_usage(folder).free
    if free < n_bytes_needed:
        raise DiskFullError(
            f"{what} needs {shown_bytes(n_bytes_needed)}, but `{folder}` has {shown_bytes(free)} free",
            "make room, or set `FIMBLE_DATA_DIR` to a folder on another disk",
        )


def disk_error(error: OSError, path: Path) -> Exception:
    """Give the error to raise for a failed write."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(
            f"the disk is full while writing `{path}`",
            "make room and run the command again (it resumes), or set `FIMBLE_DATA_DIR` to another disk",
        )
    return error


def shown_bytes(n_bytes: int) -> str:
    """Give a size as people read it, in powers of ten like disks."""
    if n_bytes >= 1_000_000_000:
        return f"{n_bytes / 1e9:.2f} GB"
    return f"{n_bytes / 1e6:.1f} MB"
