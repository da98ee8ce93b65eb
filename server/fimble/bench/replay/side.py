"""What the typist needs of a side, and what its model does. No side's own protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fimble.bench.replay.screen import Screen


@dataclass(frozen=True, slots=True)
class Work:
    """What the model did so far. `n_generations` counts runs, those that were cut off too.

    `n_prefilled_tokens` are prompt tokens that were read, what a cache spared left out; `n_decoded_tokens` are all
    tokens written, shown or not.
    """

    n_generations: int = 0
    n_prefilled_tokens: int = 0
    n_decoded_tokens: int = 0

    def plus(self, later: Work) -> Work:
        return Work(
            self.n_generations + later.n_generations,
            self.n_prefilled_tokens + later.n_prefilled_tokens,
            self.n_decoded_tokens + later.n_decoded_tokens,
        )

    def since(self, earlier: Work) -> Work:
        return Work(
            self.n_generations - earlier.n_generations,
            self.n_prefilled_tokens - earlier.n_prefilled_tokens,
            self.n_decoded_tokens - earlier.n_decoded_tokens,
        )


class Side(Protocol):
    """One way to get ghost text. The screen is the side's; the typist changes it through these methods only."""

    name: str
    screen: Screen

    @property
    def pid(self) -> int:
        """The root of the process tree that all of the side's work is done in."""

    def start(self) -> None:
        """Start, and wait until the model is ready. Errors: FimbleError."""

    def open(self, path: str, language: str, before: str, after: str) -> None:
        """Open a file with the cursor between `before` and `after`; nothing is asked before the first key."""

    def type(self, key: str) -> None:
        """Press one key at the cursor."""

    def erase(self, n_chars: int) -> None:
        """Press backspace."""

    def accept(self, text: str) -> None:
        """Take `text`, the ghost text or its first lines."""

    def close_file(self) -> None:
        """Close the file."""

    def work(self) -> Work:
        """Say what the model did since the start. Errors: FimbleError."""

    def stop(self) -> None:
        """End the processes."""
