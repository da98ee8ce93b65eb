"""Draw progress on stderr: a bar in a terminal, a line now and then elsewhere. Knows nothing of what is done."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    TaskProgressColumn,
    TextColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

from fimble.models.part_file import shown_bytes

LINE_EVERY_MS = 5000


class ProgressDisplay:
    """A `models.progress.Progress` for people; use it as a context manager."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr)
        self._bars: Bars | None = None
        self._task = -1
        self._what, self._total, self._unit = "", 0, ""
        self._line_at_s = 0.0

    def __enter__(self) -> ProgressDisplay:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._end()

    def start(self, what: str, total: int, unit: str) -> None:
        self._end()
        self._what, self._total, self._unit = what, total, unit
        self._line_at_s = 0.0
        if self._console.is_terminal:
            in_bytes = unit == "bytes"
            amount = [DownloadColumn(), TransferSpeedColumn()] if in_bytes else [MofNCompleteColumn()]
            self._bars = Bars(
                TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), *amount, console=self._console
            )
            self._bars.start()
            self._task = self._bars.add_task(what, total=total)

    def update(self, done: int) -> None:
        if self._bars:
            self._bars.update(self._bars.task_ids[-1], completed=done)
        elif time.monotonic() - self._line_at_s >= LINE_EVERY_MS / 1000 or done == self._total:
            self._line_at_s = time.monotonic()
            of = (
                f"{shown_bytes(done)} of {shown_bytes(self._total)}"
                if self._unit == "bytes"
                else (f"{done} of {self._total} {self._unit}")
            )
            sys.stderr.write(f"{self._what}: {of}\n")
            sys.stderr.flush()

    def note(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _end(self) -> None:
        if self._bars:
            self._bars.stop()
            self._bars = None
