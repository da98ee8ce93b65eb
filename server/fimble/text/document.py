"""Immutable snapshots of a document and the places in it. Offsets are code points of the text as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from fimble.text.line_index import LINE_END, LineIndex


@dataclass(frozen=True)
class DocumentSnapshot:
    """A document as of one version."""

    uri: str
    language: str
    version: int
    text: str
    _lines: LineIndex | None = field(default=None, repr=False, compare=False)

    @cached_property
    def lines(self) -> LineIndex:
        return self._lines if self._lines is not None else LineIndex.of(self.text)

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offset of each line's first character; there is always a first line.

        Costs one step per line; `line_start` and `line_of` do not.
        """
        return self.lines.starts()

    @property
    def n_lines(self) -> int:
        return self.lines.n_lines

    def line_start(self, line: int) -> int:
        """Give the offset of the line's first character."""
        return self.lines.start(line)

    def line_end(self, line: int) -> int:
        """Give the offset of the line's end: before its line end, or the end of the text."""
        if line + 1 >= self.n_lines:
            return len(self.text)
        start_offset, end_offset = self.lines.start(line), self.lines.start(line + 1) - 1
        is_crlf = self.text[end_offset] == "\n" and end_offset > start_offset and self.text[end_offset - 1] == "\r"
        return end_offset - 1 if is_crlf else end_offset

    def line_of(self, offset: int) -> int:
        """Give the line (from 0) that holds `offset`."""
        return self.lines.line_of(offset)

    @cached_property
    def end_of_line(self) -> str:
        """The line end to write new text with: that of the first line, or LF."""
        match = LINE_END.search(self.text)
        return match.group() if match else "\n"
