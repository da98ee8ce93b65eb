"""How long work tells of its progress. No terminal here: the command line draws it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receiver of progress; calls come from one thread."""

    def start(self, what: str, total: int, unit: str) -> None:
        """A piece of work begins; `total` of `unit` (`bytes` or `tensors`) are to be done."""

    def update(self, done: int) -> None:
        """So much of the current piece is done."""

    def note(self, text: str) -> None:
        """Something a person may want to know, such as why a source was given up."""


class NoProgress:
    """Say nothing."""

    def start(self, what: str, total: int, unit: str) -> None: ...

    def update(self, done: int) -> None: ...

    def note(self, text: str) -> None: ...
