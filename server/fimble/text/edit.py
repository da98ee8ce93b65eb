"""Apply what an editor changed to a snapshot. Knows no store and no protocol."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fimble.text.document import DocumentSnapshot
from fimble.text.position import Encoding, Position, to_offset

_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Put `text` in place of what lies between `start` and `end`, or of the whole document if they are None."""

    text: str
    start: Position | None = None
    end: Position | None = None


def apply_edits(
    document: DocumentSnapshot, version: int, edits: Iterable[TextEdit], encoding: Encoding
) -> DocumentSnapshot:
    """Give the document after `edits`, each of which counts on the result of the one before.

    A range that ends before it starts is taken the other way round.
    Source: LSP 3.18, DidChangeTextDocumentParams.contentChanges.
    """
    for edit in edits:
        if edit.start is None or edit.end is None:
            document = DocumentSnapshot(document.uri, document.language, version, joined(edit.text))
            continue
        start_offset = to_offset(document, edit.start, encoding)
        end_offset = to_offset(document, edit.end, encoding)
        low, high = min(start_offset, end_offset), max(start_offset, end_offset)
        document = replaced(document, version, low, high, edit.text)
    if document.version != version:
        document = DocumentSnapshot(document.uri, document.language, version, document.text, document.lines)
    return document


def replaced(
    document: DocumentSnapshot, version: int, start_offset: int, end_offset: int, text: str
) -> DocumentSnapshot:
    """Give the document with `start_offset:end_offset` replaced by `text`."""
    before = document.text
    head, tail = before[max(0, start_offset - 1) : start_offset], before[end_offset : end_offset + 1]
    if _PAIR.search(head + text + tail):
        # The halves of a pair that came one by one are one character, as they are for the editor.
        start_offset, end_offset, text = start_offset - len(head), end_offset + len(tail), joined(head + text + tail)
    after = before[:start_offset] + text + before[end_offset:]
    lines = document.lines.edited(before, start_offset, end_offset, after, len(text))
    return DocumentSnapshot(document.uri, document.language, version, after, lines)


def joined(text: str) -> str:
    """Give `text` with every two halves of a surrogate pair as the character they spell."""
    if not _PAIR.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
