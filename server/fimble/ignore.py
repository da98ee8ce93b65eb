"""What `.gitignore` and `.fimbleignore` files rule out. Reads them on a thread of its own, never on the typing path."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pathspec

GIT_FILE = ".gitignore"
FRESH_S = 10.0
"""Rules older than this are read again, beside the request that noticed; an edit of an ignore file counts by then."""
READ_LIMIT_S = 1.0
IGNORE_FILE_BYTES_MAX = 1_000_000
DIRECTORIES_MAX = 512
NOT_READ_YET = "its ignore files could not be read in time"


@dataclass(frozen=True, slots=True)
class RuleFile:
    """The patterns of one ignore file; they hold below `directory`."""

    directory: Path
    name: str
    spec: pathspec.GitIgnoreSpec


@dataclass(slots=True)
class _Entry:
    rules: tuple[RuleFile, ...]
    read_at_s: float


_Key = tuple[Path, tuple[str, ...]]
"""A directory and the names of the ignore files that count."""


class IgnoreRules:
    """The ignore files above the files of one session, kept by directory.

    Methods belong to the event loop.
    """

    def __init__(self) -> None:
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()
        self._waiting: dict[_Key, asyncio.Future[None]] = {}

    async def why(self, uri: str, names: Sequence[str]) -> str | None:
        """Give the pattern and file that rule out the document, or None.

        Waits only for the first document of a directory; one that is no file is ruled out by nothing.
        """
        path = _path_of(uri)
        if path is None or not names:
            return None
        key = (path.parent, tuple(names))
        entry = self._entries.get(key)
        if entry is None:
            try:
                async with asyncio.timeout(READ_LIMIT_S):
                    await asyncio.shield(self._read(key))
            except TimeoutError:
                return NOT_READ_YET
            entry = self._entries[key]
        elif time.monotonic() - entry.read_at_s > FRESH_S:
            self._read(key)
        return first_match(path, entry.rules)

    def _read(self, key: _Key) -> asyncio.Future[None]:
        """Read the rules for a directory on a thread; one reading at a time."""
        if (waiting := self._waiting.get(key)) is not None:
            return waiting
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting[key] = done

        def settle(rules: tuple[RuleFile, ...]) -> None:
            self._entries[key] = _Entry(rules, time.monotonic())
            self._entries.move_to_end(key)
            while len(self._entries) > DIRECTORIES_MAX:
                self._entries.popitem(last=False)
            del self._waiting[key]
            done.set_result(None)

        def read() -> None:
            rules = read_rules(*key)
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, rules)

        # A daemon thread: a network disk that hangs must not hold the process at its end.
        threading.Thread(target=read, name="fimble-ignore", daemon=True).start()
        return done


def read_rules(directory: Path, names: Sequence[str]) -> tuple[RuleFile, ...]:
    """Read the ignore files that hold in `directory`, outermost first.

    `.gitignore` counts within a git repository only, as for git; the others in every directory above.
    Source: gitignore(5).
    """
    rules: list[RuleFile] = []
    above = [directory, *directory.parents]
    root = next((d for d in above if _exists(d / ".git")), None)
    for folder in reversed(above):
        in_repository = root is not None and folder.is_relative_to(root)
        for name in names:
            if name == GIT_FILE and not in_repository:
                continue
            if (spec := _read_spec(folder / name)) is not None:
                rules.append(RuleFile(folder, name, spec))
    return tuple(rules)


def first_match(path: Path, rules: Sequence[RuleFile]) -> str | None:
    """Give what rules the path out, as ``pattern (in file)``, or None.

    Files of a name are one rule set, in which the innermost file that speaks of the path decides. An own ignore file
    cannot bring back what git ignores, nor the other way round.
    """
    decided: dict[str, str | None] = {}
    for rule in rules:
        result = rule.spec.check_file(path.relative_to(rule.directory).as_posix())
        if result.include is not None:
            decided[rule.name] = f"{_pattern(rule.spec, result.index)} ({rule.name})" if result.include else None
    return next((found for found in decided.values() if found), None)


def _pattern(spec: pathspec.GitIgnoreSpec, index: int | None) -> str:
    if index is None:
        return "a pattern"
    return str(getattr(list(spec.patterns)[index], "pattern", "a pattern"))


def _read_spec(path: Path) -> pathspec.GitIgnoreSpec | None:
    try:
        if not path.is_file() or path.stat().st_size > IGNORE_FILE_BYTES_MAX:
            return None
        return pathspec.GitIgnoreSpec.from_lines(path.read_text(encoding="utf-8", errors="replace").splitlines())
    except (OSError, ValueError):
        return None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


@lru_cache(maxsize=128)
def _path_of(uri: str) -> Path | None:
    """Give the local path of a `file:` URI; notebook cells and unsaved documents have none."""
    parts = urlsplit(uri)
    if parts.scheme not in ("file", "vscode-notebook-cell"):
        return None
    path = unquote(parts.path)
    if os.name == "nt" and path.startswith("/"):
        path = path[1:]
    return Path(path) if Path(path).is_absolute() else None
