"""The file of counts: SQLite in the user's data folder. Several processes may add to it at once."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import platformdirs

from fimble.errors import FimbleError
from fimble.statistics.tally import Event, Subject

FILE_VARIABLE = "FIMBLE_STATISTICS"
WAIT_MS = 5_000
"""How long one process waits for another's write, which takes milliseconds."""
SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS counts (
  day TEXT NOT NULL, name TEXT NOT NULL, language TEXT NOT NULL, model TEXT NOT NULL, event TEXT NOT NULL,
  n INTEGER NOT NULL, PRIMARY KEY (day, name, language, model, event)
) WITHOUT ROWID
"""
_ADD = """
INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (day, name, language, model, event) DO UPDATE SET n = n + excluded.n
"""


def default_path() -> Path:
    """Give where the counts are kept; `FIMBLE_STATISTICS` names another file."""
    named = os.environ.get(FILE_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_data_dir("fimble")) / "statistics.sqlite3"


def add(path: Path, counts: Mapping[Subject, int], wait_ms: int = WAIT_MS) -> None:
    """Add counts, all or none. Errors: FimbleError if the file cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _opened(path, wait_ms) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
                connection.execute(_SCHEMA)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            rows = [(s.day, s.name, s.language, s.model, s.event.value, n) for s, n in counts.items()]
            connection.executemany(_ADD, rows)
    except (sqlite3.Error, OSError) as error:
        raise FimbleError(f"cannot write `{path}`: {error}", "`statistics = false` counts nothing") from error


def read(path: Path, since_day: str = "") -> dict[Subject, int]:
    """Give the counts from a day on; none where nothing was counted. Errors: FimbleError if it cannot be read."""
    if not path.exists():
        return {}
    known = {event.value: event for event in Event}
    try:
        with _opened(path, WAIT_MS) as connection:
            if not connection.execute("PRAGMA user_version").fetchone()[0]:
                return {}  # a process is about to write the first counts
            rows = connection.execute(
                "SELECT day, name, language, model, event, n FROM counts WHERE day >= ? ORDER BY day", (since_day,)
            ).fetchall()
    except (sqlite3.Error, OSError) as error:
        raise FimbleError(f"cannot read `{path}`: {error}", "`fimble stats --forget` begins anew") from error
    return {Subject(row[0], row[1], row[2], row[3], known[row[4]]): row[5] for row in rows if row[4] in known}


def forget(path: Path) -> None:
    """Remove all counts. Errors: FimbleError if the file cannot be removed."""
    try:
        for name in (path.name, f"{path.name}-journal"):
            path.with_name(name).unlink(missing_ok=True)
    except OSError as error:
        raise FimbleError(f"cannot remove `{path}`: {error}") from error


@contextlib.contextmanager
def _opened(path: Path, wait_ms: int) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=wait_ms / 1000, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()
