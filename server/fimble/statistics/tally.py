"""What is counted, and the counter that services are given. Plain values; writes nothing."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Protocol

GHOST_TEXT = "ghost-text"
"""What a suggestion is counted under; actions are counted under their names."""
_NAME = re.compile(r"[\w.+#@/-]{1,64}")


class Event(enum.Enum):
    """What became of a suggestion or an action. A value is a row's name in the file and in `--json`."""

    SHOWN = "shown"
    """It was handed to the editor."""
    DISPLAYED = "displayed"
    """The editor said that it drew it; only some do."""
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly-accepted"
    REJECTED = "rejected"
    """The user went on without it."""
    UNDONE = "undone"
    REFUSED = "refused"
    """fimble itself did not apply it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event happened to; `day` is local, `YYYY-MM-DD`."""

    day: str
    name: str
    language: str
    model: str
    event: Event


class Tally(Protocol):
    """Counts for one session. Called while the user types: must not wait for anything."""

    def count(self, name: str, language: str, event: Event) -> None: ...


class NoTally:
    """Counts nothing."""

    def count(self, name: str, language: str, event: Event) -> None:
        """Forget it."""


def plain_name(text: str) -> str:
    """Give a name that a client chose, if it is one: nothing else a client sends may reach the file."""
    return text if _NAME.fullmatch(text) else "other"
