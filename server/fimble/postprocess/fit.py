"""Says whether a line, put where it is meant to go, can be right at all. Judges finished text, changes none."""

from __future__ import annotations

import enum
import re
import sys
from itertools import islice

from fimble.postprocess.draft import Draft, Place
from fimble.postprocess.language import Family
from fimble.postprocess.needed_names import defined_names, needed_names
from fimble.postprocess.parse import breaks_syntax
from fimble.postprocess.scan import indent_columns, scan
from fimble.postprocess.site import Spot, is_comment, opens_block

_CONTINUES = {
    "elif": ("if", "elif"),
    "else": ("if", "elif", "for", "while", "except", "async"),
    "except": ("try", "except"),
    "finally": ("try", "except", "else"),
}


class Misfit(enum.StrEnum):
    """Why a line cannot be right where it is put."""

    NEEDS_OPENER = "a deeper line below needs an opener"
    NEEDS_DEEPER = "an opener needs a deeper line below"
    CONTINUES_NOTHING = "nothing above for this clause to continue"
    STANDS_BELOW = "the line stands below already"
    HIDES_BELOW = "the line below would not be reached"
    OPEN_STRING = "a string is left open above code"
    NEEDS_NAME = "a name that is used below is not defined"
    NEEDS_ANOTHER_NAME = "another name that is used below is not defined"
    DOES_NOT_PARSE = "the statement does not parse with it"


MODULES = sys.stdlib_module_names
LEAVERS = frozenset({"return", "raise", "break", "continue"})
"""Words behind whose statement the next line is not reached."""
LINES_BELOW = 12
"""How far below a line that says the same is looked for."""
SAME_LINE_CHARS_MIN = 12
"""Shorter lines (`pass`, `i += 1`) may well stand twice."""


def written_below(draft: Draft, place: Place) -> Misfit | None:
    """Say that the answer's last line stands a few lines below already, or give None.

    A line right below is the filters' business (`cut_repeated_below`). Further down the model has most likely
    jumped ahead, over the lines between; not into a block that begins behind the end of this one: two functions
    may well have a line in common.
    """
    if place.site.spot not in (Spot.OWN_LINE, Spot.ABOVE_LINE) or not place.site.inside.in_code:
        return None
    last = draft.text.rstrip().rsplit("\n", 1)[-1].strip()
    if len(last) < SAME_LINE_CHARS_MIN or is_comment(last, place.site.facts):
        return None
    tab_width = place.window.tab_width_columns
    indent = indent_columns((place.window.line_prefix + draft.text).rstrip().rsplit("\n", 1)[-1], tab_width)
    outer = indent
    for line in islice(filter(str.strip, place.window.lines_below), LINES_BELOW):
        columns = indent_columns(line, tab_width)
        if line.strip() == last and not (outer < indent and columns > outer):
            return Misfit.STANDS_BELOW
        outer = min(outer, columns)
    return None


def misfit(draft: Draft, place: Place) -> Misfit | None:
    """Name what is wrong with the draft and the lines below it, or give None.

    Where indentation makes blocks, a line that does not open one cannot stand above a deeper line, one that
    opens a block can stand above a deeper line only, an `else` needs what it is the other case of, nothing is
    reached behind a `return`, and what parsed before must still parse. A name that the lines below use and
    nothing else defines is what the line is there for, and of several such names most likely each. Another
    answer is worth having then; this one is still no reason to show nothing, since the user may go on typing.
    Source: The Python Language Reference, 8: compound statements.
    """
    site, window = place.site, place.window
    if site.facts.family is not Family.INDENTATION or window.language in ("yaml", "dockercompose"):
        return None
    if site.spot not in (Spot.OWN_LINE, Spot.ABOVE_LINE) or not site.inside.in_code or site.openers:
        return None
    text = (window.line_prefix + draft.text).rstrip()
    found = scan(text, site.facts, tab_width=window.tab_width_columns)
    if found.inside.kind == "long string" and _has_code_below(place, text, found.inside.closing):
        return Misfit.OPEN_STRING
    if found.openers or found.inside.kind not in ("", "line comment"):
        return None
    free = [line for index, line in enumerate(text.split("\n")) if index in found.free_lines and line.strip()]
    if not free or is_comment(free[-1], site.facts):
        return None
    if not _continues(draft.text.split("\n", 1)[0], place):
        return Misfit.CONTINUES_NOTHING
    indent, opens = indent_columns(free[-1], window.tab_width_columns), opens_block(text.split("\n")[-1], site.facts)
    if site.below and site.below_indent > indent and not opens:
        return Misfit.NEEDS_OPENER
    if site.below and site.below_indent <= indent and opens:
        return Misfit.NEEDS_DEEPER
    if site.below and site.below_indent == indent and _first_word(free[-1]) in LEAVERS:
        return Misfit.HIDES_BELOW
    needed = needed_names(window)
    missing = [name for name in needed if not any(name in defined_names(line) for line in free)]
    if needed and missing == list(needed):
        return Misfit.NEEDS_NAME
    if breaks_syntax(draft, place):
        return Misfit.DOES_NOT_PARSE
    # A line imports one module or defines variables: what is missing beside it is another line's.
    return Misfit.NEEDS_ANOTHER_NAME if missing and not MODULES.intersection(needed) else None


def wrongly_silent(place: Place) -> Misfit | None:
    """Say that an empty line cannot stay empty, or give None: a name that is used below is defined nowhere."""
    site = place.site
    is_asked = site.facts.family is Family.INDENTATION and site.spot is Spot.OWN_LINE and site.inside.in_code
    return Misfit.NEEDS_NAME if is_asked and needed_names(place.window) else None


def _has_code_below(place: Place, text: str, closing: str) -> bool:
    """Say whether the block that the text is in goes on below and nothing there ends the string."""
    site = place.site
    goes_on = bool(site.below) and site.below_indent >= indent_columns(text, place.window.tab_width_columns) > 0
    return goes_on and closing not in place.window.suffix


def _continues(line: str, place: Place) -> bool:
    """Say whether a clause like `else` has its statement above, on its own column; other lines always do."""
    window, site = place.window, place.site
    needed = _CONTINUES.get(_first_word(line))
    if needed is None:
        return True
    indent = indent_columns(window.line_prefix + line, window.tab_width_columns)
    for above in reversed(window.prefix.split("\n")[:-1]):
        columns = indent_columns(above, window.tab_width_columns)
        if above.strip() and not is_comment(above, site.facts) and columns <= indent and above.strip()[0] not in ")]}":
            return columns == indent and _first_word(above) in needed
    return False


def _first_word(line: str) -> str:
    match = re.match(r"\s*(\w+)", line)
    return match.group(1) if match else ""
