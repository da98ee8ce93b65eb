"""What other answers should begin with where the first one cannot stand. Pure; asks nobody."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

from fimble.completion.candidate import Candidate
from fimble.postprocess.draft import Place
from fimble.postprocess.fit import LEAVERS, Misfit
from fimble.postprocess.language import Family
from fimble.postprocess.needed_names import needed_names
from fimble.postprocess.site import Spot
from fimble.records import CursorWindow, Shape

FIRST_WORDS = 24
"""How many of the likeliest first words are looked through for those that may stand there."""
# Source: The Python Language Reference, 8: compound statements.
_OPENERS = frozenset(
    {"if", "for", "while", "with", "try", "else", "elif", "except", "finally", "def", "class", "async"}
)
NEVER = ("#", '"""', "'''")
_SAYS_NO_FORM = (Misfit.STANDS_BELOW, Misfit.DOES_NOT_PARSE, Misfit.CONTINUES_NOTHING)
"""Of these only the line is wrong, not how it begins: samples may begin as it does and go on otherwise."""


@dataclass(frozen=True, slots=True)
class Beginnings:
    """How other answers begin: with `lead`, what is still missing of the line's indentation at the cursor, and
    then with one of the `wanted` starts or, unless they are the only ones, with a word that may stand there."""

    lead: str
    opens_block: bool
    never: frozenset[str]
    wanted: tuple[str, ...] = ()
    is_wanted_alone: bool = False

    def window(self, window: CursorWindow) -> CursorWindow:
        """Give the place with the indentation written."""
        return replace(window, prefix=window.prefix + self.lead)

    def may_begin(self, word: str) -> bool:
        """Say whether a line whose first token is `word` is worth decoding."""
        word = word.strip()
        is_out = not word or word.startswith(NEVER) or word in self.never
        return not is_out and (word in _OPENERS) == self.opens_block


def beginnings(first: Candidate, window: CursorWindow) -> list[Beginnings]:
    """Give what to begin other answers with, likeliest first; nothing where the place does not say.

    What stands below says how the line must look: a block opens above a deeper line and nowhere else.
    """
    place = Place(window, Shape.LINE)
    site = place.site
    if site.facts.family is not Family.INDENTATION or site.spot is not Spot.OWN_LINE or not site.inside.in_code:
        return []
    if not first.calls_for_others or site.openers or not site.below or "\t" in window.indent_unit:
        return []
    written = first.text.lstrip("\n")
    word = written.split(maxsplit=1)[0] if written.strip() else ""
    written_columns = site.indent + len(written) - len(written.lstrip(" "))
    if first.misfit is Misfit.NEEDS_ANOTHER_NAME:
        # All that is wrong is what the line defines: it may be one that defines several names at once.
        start = _joint_definition(needed_names(window), word)
        lead = " " * max(0, written_columns - site.indent)
        return [Beginnings(lead, word == "for", frozenset(), (start,), is_wanted_alone=True)] if start else []
    wanted = tuple(_definition(name, window) for name in needed_names(window))
    if first.misfit in _SAYS_NO_FORM and not wanted:
        return []
    outer = max((level for level in (*site.levels, _inner(place)) if level < site.below_indent), default=0)
    columns = site.below_indent if wanted or first.misfit is None else written_columns
    places = [columns]
    if first.misfit is Misfit.NEEDS_OPENER:
        places = [outer]
    elif first.misfit is Misfit.NEEDS_DEEPER and outer and not wanted:
        places = [outer, columns]  # perhaps the block is right and its indentation is not
    found = []
    for columns in places:
        if columns >= site.indent:
            is_opener = columns < site.below_indent
            never = {word} if columns == written_columns else set()
            if first.misfit is Misfit.HIDES_BELOW:
                never |= LEAVERS
            found.append(Beginnings(" " * (columns - site.indent), is_opener, frozenset(never), wanted))
    return found


def _inner(place: Place) -> int:
    """Give the indentation of a line in the innermost block, one deeper than a statement that opens one."""
    site = place.site
    return site.above_indent + (len(place.window.indent_unit) if site.opens_block else 0)


def _joint_definition(names: tuple[str, ...], word: str) -> str:
    """Give how a line begins that defines all the names, as the kind of line that begins with `word`; "" if none does.

    In the order of their use, which is mostly that of their definition.
    """
    if word in _OPENERS:
        return f"for {', '.join(names)} in" if word == "for" else ""
    return f"{', '.join(names)} ="


def _definition(name: str, window: CursorWindow) -> str:
    """Give how a line begins that defines the name."""
    is_module = name in sys.stdlib_module_names and f"{name}." in window.suffix
    return f"import {name}" if is_module else f"{name} ="
