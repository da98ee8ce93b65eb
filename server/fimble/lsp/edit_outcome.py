"""What becomes of an action's edit: made, undone, passed over. Seen from the document's changes; nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fimble.statistics.tally import Event

CHANGES_UNTIL_MADE = 8
"""Changes by which an edit should have arrived; some clients send one edit in several pieces."""
CHANGES_UNTIL_KEPT = 30
"""Changes after which taking it back is no longer an undoing of this edit."""


@dataclass(slots=True)
class _Watched:
    name: str
    language: str
    before: str
    after: str
    is_made: bool = False
    n_changes: int = 0


@dataclass(slots=True)
class EditOutcomes:
    """The last edit of each document. `count` gets what became of it: accepted, then undone; or rejected."""

    count: Callable[[str, str, Event], None]
    _watched: dict[str, _Watched] = field(default_factory=dict)

    def proposed(self, uri: str, name: str, language: str, before: str, after: str) -> None:
        """Begin to watch an edit that the editor was given."""
        self.closed(uri)
        self.count(name, language, Event.SHOWN)
        self._watched[uri] = _Watched(name, language, before, after)

    def watches(self, uri: str) -> bool:
        return uri in self._watched

    def changed(self, uri: str, text: str) -> None:
        """Take a document's new text. Costs a comparison, while an edit is watched."""
        watched = self._watched.get(uri)
        if watched is None:
            return
        watched.n_changes += 1
        if not watched.is_made:
            if text == watched.after:
                self.made(uri)
            elif watched.n_changes >= CHANGES_UNTIL_MADE:
                self.closed(uri)
        elif text == watched.before:
            self.count(watched.name, watched.language, Event.UNDONE)
            del self._watched[uri]
        elif watched.n_changes >= CHANGES_UNTIL_KEPT:
            del self._watched[uri]

    def made(self, uri: str) -> None:
        """Take note that the editor made the edit; more than once is once."""
        watched = self._watched.get(uri)
        if watched is not None and not watched.is_made:
            watched.is_made, watched.n_changes = True, 0
            self.count(watched.name, watched.language, Event.ACCEPTED)

    def closed(self, uri: str) -> None:
        """Stop watching; an edit that was not made until now was rejected."""
        watched = self._watched.pop(uri, None)
        if watched is not None and not watched.is_made:
            self.count(watched.name, watched.language, Event.REJECTED)
