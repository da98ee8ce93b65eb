"""What a person sees of one side: the file, the cursor, the ghost text, and since when. Knows no protocol.

Written to by the typist's thread and by the thread that reads what a side says.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

SAME_GHOST_MS = 100.0
"""A text that was hidden for no longer and comes back is the one that was seen: some sides redraw at each key."""


@dataclass(frozen=True, slots=True)
class Ghost:
    """Ghost text behind the cursor, seen since `since_s` (`time.perf_counter`).

    `n_replaced_chars` of the file around the cursor would be replaced by taking it.
    """

    text: str
    since_s: float
    n_replaced_chars: int = 0


@dataclass(frozen=True, slots=True)
class Show:
    """One text that came on the screen when `typed` stood between the script's start and the cursor."""

    typed: str
    text: str
    at_s: float
    n_replaced_chars: int = 0


@dataclass
class Screen:
    """The editor's part of one side.

    `version` counts changes of the text: what a side says of an older version is not shown. A ghost text stays while
    what is typed agrees with it, as in VS Code; a side that redraws by itself hides it with `put(None, …)`.
    """

    before: str = ""
    after: str = ""
    version: int = 0
    ghost: Ghost | None = None
    shows: list[Show] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    failure: str = ""
    _n_start_chars: int = 0
    _hidden: tuple[Ghost, str, float] | None = None

    def open(self, before: str, after: str) -> None:
        """Show another file, with the cursor between `before` and `after`."""
        with self.changed:
            self.before, self.after, self._n_start_chars = before, after, len(before)
            self.version += 1
            self.ghost, self._hidden, self.shows = None, None, []

    def insert(self, text: str) -> None:
        """Type or accept `text` at the cursor; ghost text that begins with it stays."""
        with self.changed:
            self.before += text
            self.version += 1
            ghost = self.ghost
            stays = ghost is not None and ghost.text.startswith(text) and len(ghost.text) > len(text)
            if ghost is not None and stays and not ghost.n_replaced_chars:
                self.ghost = Ghost(ghost.text[len(text) :], ghost.since_s)
            else:
                self._hide()
            self.changed.notify_all()

    def erase(self, n_chars: int) -> None:
        """Take back the last characters before the cursor."""
        with self.changed:
            self.before = self.before[:-n_chars]
            self.version += 1
            self._hide()
            self.changed.notify_all()

    def put(self, text: str | None, version: int, n_replaced_chars: int = 0) -> None:
        """Draw `text` for the file's `version`, or hide what is drawn; too late an answer is dropped."""
        with self.changed:
            if version != self.version:
                return
            if not text:
                self._hide()
            elif self.ghost is None or (self.ghost.text, self.ghost.n_replaced_chars) != (text, n_replaced_chars):
                now_s = time.perf_counter()
                self.ghost = Ghost(text, self._seen_since(text, now_s), n_replaced_chars)
                self._hidden = None
                self.shows.append(Show(self.before[self._n_start_chars :], text, now_s, n_replaced_chars))
            self.changed.notify_all()

    def fail(self, why: str) -> None:
        """Say that the side is gone: whoever waits for it is told."""
        with self.changed:
            self.failure = self.failure or why
            self.changed.notify_all()

    def _hide(self) -> None:
        if self.ghost is not None:
            self._hidden = (self.ghost, self.before, time.perf_counter())
        self.ghost = None

    def _seen_since(self, text: str, now_s: float) -> float:
        """Give since when a person has seen this text: what only grew, or was redrawn, is not new to the eye."""
        seen: tuple[str, float] | None = None
        if self.ghost is not None:
            seen = (self.ghost.text, self.ghost.since_s)
        elif self._hidden is not None:
            ghost, before, hidden_at_s = self._hidden
            typed = self.before.removeprefix(before) if self.before.startswith(before) else None
            if typed is not None and ghost.text.startswith(typed) and (now_s - hidden_at_s) * 1000 <= SAME_GHOST_MS:
                seen = (ghost.text[len(typed) :], ghost.since_s)
        if seen is None or not seen[0]:
            return now_s
        return seen[1] if text.startswith(seen[0]) or seen[0].startswith(text) else now_s
