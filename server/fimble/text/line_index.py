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


CHUNK_LINES = 128
"""An edit writes the starts of one or two chunks anew and moves the chunks behind them, one addition each."""


@dataclass(frozen=True, slots=True)
class LineIndex:
    """Start offsets of the lines of one text, in chunks; never changed, so snapshots may share it.

    `chunks` are starts counted from their chunk's first, which is at `first_offsets` in the text and the line
    `first_lines`. A chunk is never empty and has twice `CHUNK_LINES` at most.
    """

    chunks: tuple[Offsets, ...] = ((0,),)
    first_offsets: Offsets = (0,)
    first_lines: tuple[int, ...] = (0,)
    n_lines: int = 1

    @classmethod
    def of(cls, text: str) -> LineIndex:
        return cls()._spliced(0, 0, [match.end() for match in LINE_END.finditer(text)], 0)

    def start(self, line: int) -> int:
        """Give the offset of the line's first character."""
        index = bisect_right(self.first_lines, line) - 1
        return self.first_offsets[index] + self.chunks[index][line - self.first_lines[index]]

    def line_of(self, offset: int) -> int:
        """Give the line (from 0) that holds `offset`; a line end belongs to the line that it ends."""
        index = bisect_right(self.first_offsets, offset) - 1
        return self.first_lines[index] + bisect_right(self.chunks[index], offset - self.first_offsets[index]) - 1

    def starts(self) -> Offsets:
        chunks = zip(self.first_offsets, self.chunks, strict=True)
        return tuple(first_offset + start for first_offset, chunk in chunks for start in chunk)

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
        first = bisect_right(self.first_offsets, low) - 1
        last = bisect_right(self.first_offsets, high, first) - 1
        origin, last_origin = self.first_offsets[first], self.first_offsets[last]
        kept = self.chunks[first][: bisect_right(self.chunks[first], low - origin)]
        moved = self.chunks[last][bisect_right(self.chunks[last], high - last_origin) :]
        shift_chars = last_origin - origin + delta_chars
        starts = [*kept, *[start - origin for start in new_starts], *[start + shift_chars for start in moved]]
        n_more_lines = len(starts) - sum(map(len, self.chunks[first : last + 1]))
        n_chunk_lines = CHUNK_LINES if len(starts) > 2 * CHUNK_LINES else len(starts)
        cuts = range(0, len(starts), n_chunk_lines)
        return LineIndex(
            (
                *self.chunks[:first],
                *[tuple([start - starts[cut] for start in starts[cut : cut + n_chunk_lines]]) for cut in cuts],
                *self.chunks[last + 1 :],
            ),
            (
                *self.first_offsets[:first],
                *[origin + starts[cut] for cut in cuts],
                *[offset + delta_chars for offset in self.first_offsets[last + 1 :]],
            ),
            (
                *self.first_lines[:first],
                *[self.first_lines[first] + cut for cut in cuts],
                *[line + n_more_lines for line in self.first_lines[last + 1 :]],
            ),
            self.n_lines + n_more_lines,
        )


def to_lf(text: str) -> str:
    """Give `text` with every CRLF and CR as LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
