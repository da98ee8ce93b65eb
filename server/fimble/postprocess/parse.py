"""Asks Python's own parser whether an answer breaks what was right before it. Runs nothing; other languages pass."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

from fimble.postprocess.draft import Draft, Place
from fimble.postprocess.scan import indent_columns
from fimble.postprocess.site import Spot, opens_block
from fimble.records import CursorWindow

CHARS_MAX = 12_000
_TOP_LEVEL = re.compile(r"^[A-Za-z_@]", re.M)
_NEXT_TOP_LEVEL = re.compile(r"^(?!else\b|elif\b|except\b|finally\b)[A-Za-z_@]", re.M)


@dataclass(frozen=True, slots=True)
class Region:
    """The top-level statement around the cursor: its text before the cursor's line and behind the cursor, and the
    window's text outside of it."""

    before: str
    behind: str
    elsewhere: str


def region_of(window: CursorWindow) -> Region | None:
    """Give the statement around the cursor, or None if it is too long to be parsed on each key."""
    before = window.prefix[: len(window.prefix) - len(window.line_prefix)]
    starts = [match.start() for match in _TOP_LEVEL.finditer(before)]
    start = starts[-1] if starts else 0
    # A cursor above code on its line leaves that code where it is, on a line of its own.
    behind = "\n" + (window.line_prefix + window.suffix if window.line_suffix.strip() else window.suffix)
    found = _NEXT_TOP_LEVEL.search(behind)
    end = found.start() if found else len(behind)
    if len(before) - start + end > CHARS_MAX:
        return None
    return Region(before[start:], behind[:end], before[:start] + behind[end:])


def breaks_syntax(draft: Draft, place: Place) -> bool:
    """Say whether the statement around the cursor parses with a placeholder in the answer's place, but not with it.

    Code that does not parse either way says nothing about the answer. Of an answer that opens a block, the
    body is taken as still to be written.
    """
    window, site = place.window, place.site
    on_own_line = site.spot in (Spot.OWN_LINE, Spot.ABOVE_LINE)
    if window.language != "python" or not on_own_line or not site.inside.in_code:
        return False
    region = region_of(window)
    text = (window.line_prefix + draft.text).rstrip()
    if region is None or not text or len(text) > CHARS_MAX:
        return False
    before, behind = region.before, region.behind
    lead = text[: len(text) - len(text.lstrip())]
    last = text[text.rfind("\n") + 1 :]
    n_columns = indent_columns(last, window.tab_width_columns)
    is_deeper_below = bool(site.below) and site.below_indent > n_columns
    if opens_block(last, site.facts) and not is_deeper_below:
        text += "\n" + last[: len(last) - len(last.lstrip())] + window.indent_unit + "pass"
    placeholder = lead + ("if True:" if is_deeper_below else "pass")
    return parsed(before + text + behind) is None and parsed(before + placeholder + behind) is not None


def parsed(source: str) -> ast.Module | None:
    """Give the tree of Python source, or None if it has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
