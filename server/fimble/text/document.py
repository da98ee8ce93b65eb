"""Immutable snapshots of a document and the places in it. Offsets are code points of the text as it is."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property

# LSP 3.18 knows three line ends. U+2028, U+0085, \f and \x1c are ordinary characters.
LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class DocumentSnapshot:
    """A document as of one version."""

    uri: str
    language: str
    version: int
    text: str
    _starts: tuple[int, ...] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offset of each line's first character; there is always a first line."""
        if self._starts is not None:
            return self._starts
        return (0, *(match.end() for match in LINE_END.finditer(self.text)))

    @property
    def n_lines(self) -> int:
        return len(self.line_starts)

    def line_of(self, offset: int) -> int:
        """Give the line (from 0) that holds `offset`."""
        return bisect_right(self.line_starts, offset) - 1

    @cached_property
    def end_of_line(self) -> str:
        """The line end to write new text with: that of the first line, or LF."""
        match = LINE_END.search(self.text)
        return match.group() if match else "\n"
