"""Positions as an editor counts them ↔ offsets in code points. The only room besides `lsp` that knows code units."""

from __future__ import annotations

import enum
from typing import NamedTuple

from fimble.text.document import DocumentSnapshot

# A lone half of a surrogate pair can arrive in JSON (`"\ud83d"`); it counts as one UTF-16 unit.
_SURROGATES = "surrogatepass"


class Encoding(enum.Enum):
    """What one step of `Position.character` is: a code unit of this encoding.

    Source: LSP 3.18, PositionEncodingKind.
    """

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


class Position(NamedTuple):
    """A place in a document, both counted from 0; `character` in code units of the session's encoding."""

    line: int
    character: int


def n_units(text: str, encoding: Encoding) -> int:
    """Count the code units of `text`."""
    if encoding is Encoding.UTF32 or text.isascii():
        return len(text)
    if encoding is Encoding.UTF16:
        return len(text) + sum(char > "\uffff" for char in text)
    return len(text.encode("utf-8", _SURROGATES))


def to_offset(document: DocumentSnapshot, position: Position, encoding: Encoding) -> int:
    """Give the offset of `position`, which may be anywhere.

    A character beyond the line's end is the line's end; a line beyond the last is the end of the text; a
    place inside a character (of two UTF-16 or several UTF-8 units) is that character's start.
    Source: LSP 3.18, Position; for lines microsoft/vscode-languageserver-node: textDocument/src/main.ts.
    """
    if position.line >= document.n_lines:
        return len(document.text)
    start_offset, end_offset = document.line_start(position.line), document.line_end(position.line)
    if encoding is Encoding.UTF32:
        return min(start_offset + position.character, end_offset)
    # No character is shorter than one unit, so later ones cannot matter.
    end_offset = min(start_offset + position.character, end_offset)
    return start_offset + _n_chars(document.text[start_offset:end_offset], position.character, encoding)


def to_offset_strict(document: DocumentSnapshot, position: Position, encoding: Encoding) -> int | None:
    """Give the offset of `position`, or None if its line is not in the document."""
    if position.line >= document.n_lines:
        return None
    return to_offset(document, position, encoding)


def to_position(document: DocumentSnapshot, offset: int, encoding: Encoding) -> Position:
    """Give the position of `offset`; between the CR and the LF of one line end it is the line's end."""
    line = document.line_of(offset)
    start_offset = document.line_start(line)
    end_offset = min(offset, document.line_end(line))
    return Position(line, n_units(document.text[start_offset:end_offset], encoding))


def _n_chars(line: str, n_units_max: int, encoding: Encoding) -> int:
    """Count the whole characters of `line` that fit into `n_units_max` code units."""
    if line.isascii():
        return min(len(line), n_units_max)
    if encoding is Encoding.UTF16:
        data = line.encode("utf-16-le", _SURROGATES)
        end = 2 * n_units_max
        if end >= len(data):
            return len(line)
        is_low = 0xDC <= data[end + 1] <= 0xDF
        if is_low and end >= 2 and 0xD8 <= data[end - 1] <= 0xDB:
            end -= 2
        return len(data[:end].decode("utf-16-le", _SURROGATES))
    data = line.encode("utf-8", _SURROGATES)
    end = n_units_max
    if end >= len(data):
        return len(line)
    while data[end] & 0xC0 == 0x80:
        end -= 1
    return len(data[:end].decode("utf-8", _SURROGATES))
