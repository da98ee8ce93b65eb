"""Cut the text around the cursor out of a snapshot. Reads nothing but the snapshot."""

from __future__ import annotations

import re
from collections import Counter
from operator import sub

from fimble.records import CursorWindow
from fimble.text.document import DocumentSnapshot
from fimble.text.line_index import to_lf

PREFIX_CHARS_MAX = 12_000
SUFFIX_CHARS_MAX = 4_000
DEFAULT_INDENT = "    "
_INDENTED = re.compile(r"\n( +|\t+)\S")
_WIDTHS = re.compile(r"\n(?!\t)( *)[^\S\n]*\S")
"""The spaces before each line that has text and does not begin with a tab."""


def cut(
    document: DocumentSnapshot,
    offset: int,
    *,
    indent_unit: str | None = None,
    tab_width_columns: int | None = None,
    prefix_chars_max: int = PREFIX_CHARS_MAX,
    suffix_chars_max: int = SUFFIX_CHARS_MAX,
) -> CursorWindow:
    """Give the window around `offset`, with LF line ends, cut at line borders far from the cursor.

    What the file does with indentation goes before what the editor says; four spaces where neither speaks.
    """
    text = document.text
    start_offset = max(0, offset - prefix_chars_max)
    if start_offset:
        line_end_offset = text.find("\n", start_offset, offset)
        start_offset = start_offset if line_end_offset < 0 else line_end_offset + 1
    end_offset = min(len(text), offset + suffix_chars_max)
    if end_offset < len(text):
        line_start_offset = text.rfind("\n", offset, end_offset)
        end_offset = end_offset if line_start_offset < 0 else line_start_offset
    prefix, suffix = to_lf(text[start_offset:offset]), to_lf(text[offset:end_offset])
    return CursorWindow(
        prefix=prefix,
        suffix=suffix,
        language=document.language,
        indent_unit=indent_of(prefix + suffix) or indent_unit or DEFAULT_INDENT,
        tab_width_columns=tab_width_columns or 4,
        starts_document=start_offset == 0,
    )


def indent_of(text: str) -> str | None:
    """Give one level of indentation as the text writes it, or None if it has none.

    Spaces: the smallest step between neighbouring indented lines, of those seen most.
    """
    text = "\n" + text  # a line end before each line: searching for a fixed character is quick, for `^` it is not
    if "\t" in text:
        indents = _INDENTED.findall(text)
        if sum(indent[0] == "\t" for indent in indents) * 2 > len(indents):
            return "\t"
    if not _INDENTED.search(text):
        return None
    widths: list[int] = [0, *map(len, _WIDTHS.findall(text))]
    steps = Counter(map(sub, widths[1:], widths))
    likely: dict[int, int] = {step: n for step, n in steps.items() if step in (2, 3, 4, 8)}
    if not likely:
        return None
    return " " * max(likely, key=lambda step: likely[step])
