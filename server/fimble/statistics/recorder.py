"""Counts of one process on their way to the file: gathered in memory, written by a thread, together and seldom."""

from __future__ import annotations

import datetime
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from fimble.errors import FimbleError
from fimble.log import LOGGER
from fimble.settings import Settings
from fimble.statistics import store
from fimble.statistics.tally import Event, Subject, plain_name

WRITE_EVERY_S = 5.0
SUBJECTS_MAX = 10_000
"""Kept while the file cannot be written; more of them are dropped."""
LAST_WRITE_WAIT_MS = 300
"""A process that ends does not wait longer for another one's write."""


class Recorder:
    """Gathers counts from any thread. One for each process; the thread starts with the first count."""

    def __init__(self, path: Path, write_every_s: float = WRITE_EVERY_S) -> None:
        self.path = path
        self._write_every_s = write_every_s
        self._counts: Counter[Subject] = Counter()
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._has_failed = False

    def add(self, subject: Subject) -> None:
        """Count one; returns at once."""
        with self._lock:
            if subject in self._counts or len(self._counts) < SUBJECTS_MAX:
                self._counts[subject] += 1
            if self._thread is None and not self._is_closed.is_set():
                self._thread = threading.Thread(target=self._work, name="fimble-statistics", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Write what is left."""
        self._is_closed.set()
        self._write(LAST_WRITE_WAIT_MS)

    def _work(self) -> None:
        while not self._is_closed.wait(self._write_every_s):
            self._write(store.WAIT_MS)

    def _write(self, wait_ms: int) -> None:
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            store.add(self.path, counts, wait_ms)
        except FimbleError as error:
            with self._lock:
                self._counts += counts
            if not self._has_failed:
                LOGGER.warning("%s", error.message)
            self._has_failed = True


class SessionTally:
    """Counts of one editor's session, while its settings allow it."""

    def __init__(self, recorder: Recorder, settings: Callable[[], Settings]) -> None:
        self._recorder = recorder
        self._settings = settings

    def count(self, name: str, language: str, event: Event) -> None:
        settings = self._settings()
        if settings.statistics:
            day = datetime.date.today().isoformat()
            subject = Subject(day, name, plain_name(language), plain_name(settings.model), event)
            self._recorder.add(subject)
