"""Where the lines of a text start, kept up to date edit by edit. Knows no document and no protocol."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

# LSP 3.18 knows three line ends. U+2028, U+0085, \f and \x1c are ordinary characters.
LINE_END = re.compile(r"\r\n|\n|\r")

Offsets = tuple[int, ...]
"""Offsets in code points, ascending."""


@dataclass(frozen=True, slots=True)
class LineIndex:
    """Start offsets of the lines of one text; never changed, so snapshots may share it.

    A start at an index above `step_line` is stored without `shift_chars`. Typing in one line therefore costs
    one addition, not one per line below it.
    Source: the lazy step of Scintilla's `Partitioning`, as its documentation describes it.
    """

    stored: Offsets = (0,)
    step_line: int = 0
    shift_chars: int = 0

    @classmethod
    def of(cls, text: str) -> LineIndex:
        return cls((0, *(match.end() for match in LINE_END.finditer(text))))

    @property
    def n_lines(self) -> int:
        return len(self.stored)

    def start(self, line: int) -> int:
        """Give the offset of the line's first character."""
        return self.stored[line] + (self.shift_chars if line > self.step_line else 0)

    def line_of(self, offset: int) -> int:
        """Give the line (from 0) that holds `offset`; a line end belongs to the line that it ends."""
        first = self.step_line + 1
        if first < len(self.stored) and offset >= self.stored[first] + self.shift_chars:
            return bisect_right(self.stored, offset - self.shift_chars, first) - 1
        return bisect_right(self.stored, offset, 0, first) - 1

    def starts(self) -> Offsets:
        first, shift_chars = self.step_line + 1, self.shift_chars
        if not shift_chars:
            return self.stored
        return self.stored[:first] + tuple(start + shift_chars for start in self.stored[first:])

    def edited(self, before: str, start_offset: int, end_offset: int, after: str, n_new_chars: int) -> LineIndex:
        """Give the index of `after`: `before` with `start_offset:end_offset` replaced by `n_new_chars` characters.

        Only the new characters and one neighbour on each side are read: an edit may join or split a CRLF.
        """
        delta_chars = n_new_chars - (end_offset - start_offset)
        low = start_offset - 1 if start_offset and before[start_offset - 1] == "\r" else start_offset
        n_after = 1 if end_offset < len(before) and before[end_offset] == "\n" else 0
        new_end = start_offset + n_new_chars + n_after
        new_starts = [match.end() for match in LINE_END.finditer(after, low, new_end)]
        return self._spliced(low, end_offset + n_after, new_starts, delta_chars)

    def _spliced(self, low: int, high: int, new_starts: Sequence[int], delta_chars: int) -> LineIndex:
        """Put `new_starts` for the starts in (`low`, `high`] and move all later ones by `delta_chars`."""
        first, last = self.line_of(low) + 1, self.line_of(high) + 1
        moved = self._with_step_at(first - 1)
        stored = moved.stored
        if new_starts or last > first:
            stored = (*stored[:first], *new_starts, *stored[last:])
        return LineIndex(stored, first - 1 + len(new_starts), moved.shift_chars + delta_chars)

    def _with_step_at(self, line: int) -> LineIndex:
        here, shift_chars = self.step_line, self.shift_chars
        if line == here or not shift_chars:
            return LineIndex(self.stored, line, shift_chars)
        low, high = sorted((here + 1, line + 1))
        change_chars = shift_chars if line > here else -shift_chars
        between = [start + change_chars for start in self.stored[low:high]]
        return LineIndex((*self.stored[:low], *between, *self.stored[high:]), line, shift_chars)


def to_lf(text: str) -> str:
    """Give `text` with every CRLF and CR as LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
