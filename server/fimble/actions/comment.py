"""Find the comment block at a place and take its text out of the markers. Changes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fimble.actions.place import Place

MARKER = re.compile(r"^\s*fimble\s*[::]\s*", re.IGNORECASE)
"""`# fimble: …` asks in place."""
_LEADING_STAR = re.compile(r"^\s*\*+ ?")


@dataclass(frozen=True, slots=True)
class CommentBlock:
    """Comment lines that belong together. `end_offset` is before the last line's line end; `text` lacks the markers."""

    start_offset: int
    end_offset: int
    indent: str
    text: str

    @property
    def marked(self) -> bool:
        return MARKER.match(self.text) is not None

    @property
    def request(self) -> str:
        """What it asks for, without the `fimble:` marker."""
        return MARKER.sub("", self.text).strip()


def block_at(place: Place) -> CommentBlock | None:
    """Give the run of comment lines, or the block comment, at the start of the place's selection."""
    line_block = _line_comments(place)
    return line_block if line_block is not None else _block_comment(place)


def _line_comments(place: Place) -> CommentBlock | None:
    marker, document = place.facts.line_comment, place.document
    here = document.line_of(place.start_offset)

    def line(index: int) -> str:
        return place.text[document.line_start(index) : document.line_end(index)]

    def indent(index: int) -> str:
        text = line(index)
        return text[: len(text) - len(text.lstrip(" \t"))]

    def is_comment(index: int) -> bool:
        return 0 <= index < document.n_lines and line(index).lstrip(" \t").startswith(marker)

    # After writing the comment the cursor often stands on the empty line below it.
    if not is_comment(here) and not line(here).strip() and place.start_offset == place.end_offset:
        here -= 1
    if not is_comment(here) or _inside_string(place, document.line_start(here) + len(indent(here))):
        return None
    first = last = here
    while is_comment(first - 1) and indent(first - 1) == indent(here):
        first -= 1
    while is_comment(last + 1) and indent(last + 1) == indent(here):
        last += 1
    # `///` and `//!` are comments too; `#!` is not, and stays as it is to be told by that.
    bang = "!" if marker == "//" else ""
    texts = [line(i).lstrip(" \t").lstrip(marker[0]).removeprefix(bang).strip() for i in range(first, last + 1)]
    return CommentBlock(document.line_start(first), document.line_end(last), indent(here), "\n".join(texts).strip())


def _inside_string(place: Place, offset: int) -> bool:
    if place.syntax is None:
        return False
    return any(s.start_offset < offset < s.end_offset for s in place.syntax.strings)


def _block_comment(place: Place) -> CommentBlock | None:
    if place.syntax is None:
        return None
    for span in place.syntax.comments:
        touches = span.start_offset <= place.start_offset <= span.end_offset + 1
        if touches and place.text.startswith("/*", span.start_offset):
            inner = place.text[span.start_offset : span.end_offset].lstrip("/*").removesuffix("*/")
            lines = [_LEADING_STAR.sub("", line).strip() for line in inner.splitlines()]
            start = place.line_start(span.start_offset)
            return CommentBlock(start, span.end_offset, place.indent_at(span.start_offset), "\n".join(lines).strip())
    return None
