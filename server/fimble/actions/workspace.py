"""The files beside a document: open ones before those on disk. Reads only; never on the typing path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fimble.text.document import DocumentSnapshot
from fimble.text.location import uri_of

# What marks the folder of a project, nearest first.
MARKERS = ("pyproject.toml", "setup.py", "package.json", "go.mod", "Cargo.toml", "pom.xml", "build.gradle", ".git")
FILE_BYTES_MAX = 1_000_000


class DiskWorkspace:
    """The disk, with the editor's open documents over it."""

    def __init__(self, newest: Callable[[str], DocumentSnapshot | None] = lambda uri: None) -> None:
        self._newest = newest

    def read(self, path: str) -> str | None:
        """Give the text, or None if there is no such file, or none that is text of a sensible size."""
        opened = self._newest(uri_of(path))
        if opened is not None:
            return opened.text
        file = Path(path)
        try:
            if not file.is_file() or file.stat().st_size > FILE_BYTES_MAX:
                return None
            return file.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def root_of(self, path: str) -> str:
        for folder in Path(path).parents:
            if any((folder / marker).exists() for marker in MARKERS):
                return str(folder)
        return str(Path(path).parent)

    def is_folder(self, path: str) -> bool:
        return Path(path).is_dir()

    def exists(self, path: str) -> bool:
        return self._newest(uri_of(path)) is not None or Path(path).exists()
