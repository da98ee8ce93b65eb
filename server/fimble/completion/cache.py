"""Finished suggestions by the text around the cursor, so that typing through one costs no request."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from fimble.completion.agreement import PREFIX_TAIL_CHARS, SUFFIX_HEAD_CHARS
from fimble.completion.ledger import Source
from fimble.records import CursorWindow, Shape, StopReason

DOCUMENTS_MAX = 32
ENTRIES_PER_DOCUMENT_MAX = 16
LOOK_BACK_CHARS_MAX = 256
"""How far back a suggestion is looked for: a line, and the next one that was prepared behind it."""


@dataclass(frozen=True, slots=True)
class CachedText:
    """The model's text for one place, before any filter: a hit is filtered again for what the place is now.

    What its `source` decoded ahead is not shown before the cursor is there. `is_other`: it was never shown, and is
    for who types against what was.
    """

    prefix_tail: str
    suffix_head: str
    text: str
    shape: Shape
    stop_reason: StopReason
    source: Source
    is_other: bool = False

    @property
    def ahead_offset(self) -> int:
        """Where what was decoded ahead begins."""
        ahead_from_offset = self.source.ahead_from_offset
        return len(self.text) if ahead_from_offset is None else ahead_from_offset


@dataclass(frozen=True, slots=True)
class CacheHit:
    """What is left of a cached text after the `n_typed_chars` characters that the user has typed of it.

    `ends_line`: the line at the cursor is known to be whole, and what is left begins with the next one.
    `is_switch`: it is another text than the one that was shown at its place, and new.
    """

    text: str
    shape: Shape
    stop_reason: StopReason
    n_typed_chars: int
    source: Source
    ends_line: bool = False
    is_switch: bool = False


class CompletionCache:
    """Bounded, least recently used out.

    A hit needs the same prefix *and* suffix around the cursor: keys of the prefix alone give old text when
    the suffix changes (sourcegraph/cody#298).
    """

    def __init__(self) -> None:
        self._documents: OrderedDict[str, deque[CachedText]] = OrderedDict()

    def put(
        self,
        uri: str,
        window: CursorWindow,
        text: str,
        shape: Shape,
        stop_reason: StopReason,
        source: Source | None = None,
    ) -> None:
        """Keep `text` for the place."""
        entries = self._documents.setdefault(uri, deque(maxlen=ENTRIES_PER_DOCUMENT_MAX))
        new = CachedText(*_place(window), text, shape, stop_reason, source or Source())
        for older in entries:
            if not older.is_other and (older.prefix_tail, older.suffix_head) == _place(window):
                entries.remove(older)
                break
        entries.appendleft(new)
        self._documents.move_to_end(uri)
        while len(self._documents) > DOCUMENTS_MAX:
            self._documents.popitem(last=False)

    def put_beside(self, uri: str, window: CursorWindow, texts: Sequence[tuple[str, StopReason, Source]]) -> None:
        """Keep other lines for the place, likeliest first, for who types against the text that is kept for it.

        Where nothing is kept for the place any more, they are of no use.
        """
        place, kept = _place(window), list[CachedText]()
        others = [CachedText(*place, text, Shape.LINE, why, source, is_other=True) for text, why, source in texts]
        for entry in self._documents.get(uri, ()):
            is_here = (entry.prefix_tail, entry.suffix_head) == place
            if not (is_here and entry.is_other):
                kept.append(entry)
            if is_here and not entry.is_other:
                kept += others
        if kept:
            self._documents[uri] = deque(kept[:ENTRIES_PER_DOCUMENT_MAX], ENTRIES_PER_DOCUMENT_MAX)

    def lookup(self, uri: str, window: CursorWindow) -> CacheHit | None:
        """Give the rest of the newest suggestion that agrees with what was typed since, if there is one."""
        suffix_head = window.suffix[:SUFFIX_HEAD_CHARS]
        for entry in self._documents.get(uri, ()):
            if entry.suffix_head != suffix_head:
                continue
            n_typed_chars = _n_typed_chars(entry, window.prefix)
            if n_typed_chars is not None and (n_typed_chars or not entry.is_other):
                return _hit(entry, n_typed_chars, window)
        return None

    def forget(self, uri: str) -> None:
        """Drop everything of one document."""
        self._documents.pop(uri, None)


def _hit(entry: CachedText, n_typed_chars: int, window: CursorWindow) -> CacheHit:
    """Give what is left of the entry, without what lies ahead of a line that is still being written."""
    is_ahead = n_typed_chars >= entry.ahead_offset
    text = entry.text[n_typed_chars:] if is_ahead else entry.text[n_typed_chars : entry.ahead_offset]
    is_line = is_ahead or entry.shape is Shape.LINE
    ends_line = (
        is_line
        and text.startswith("\n")
        and entry.stop_reason in (StopReason.RULE, StopReason.END_TOKEN)
        and window.ends_line
    )
    is_switch = entry.is_other and not entry.source.n_shown_chars
    return CacheHit(text, entry.shape, entry.stop_reason, n_typed_chars, entry.source, ends_line, is_switch)


def _place(window: CursorWindow) -> tuple[str, str]:
    """Give what tells a place of a document from the others."""
    return window.prefix[-PREFIX_TAIL_CHARS:], window.suffix[:SUFFIX_HEAD_CHARS]


def _n_typed_chars(entry: CachedText, prefix: str) -> int | None:
    """Say how many characters of the entry's text stand before the cursor; None if the place is another."""
    for n_typed_chars in range(min(LOOK_BACK_CHARS_MAX, len(prefix), len(entry.text)) + 1):
        end_offset = len(prefix) - n_typed_chars
        typed = prefix[end_offset:]
        # All of the text typed: there is nothing left to show, a new answer is needed, unless the line ended there.
        is_all = len(typed) == len(entry.text) and not (
            entry.shape is Shape.LINE and entry.stop_reason is StopReason.END_TOKEN
        )
        if n_typed_chars and (is_all or not entry.text.startswith(typed)):
            continue
        if prefix.endswith(entry.prefix_tail, 0, end_offset) and (
            len(entry.prefix_tail) == PREFIX_TAIL_CHARS or end_offset == len(entry.prefix_tail)
        ):
            return n_typed_chars
    return None
