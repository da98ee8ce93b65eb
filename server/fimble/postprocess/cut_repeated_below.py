"""Filter: lines that stand below the cursor already. Compares whole lines; the cursor's line is joined elsewhere."""

from __future__ import annotations

import re
from itertools import chain, islice

from fimble.postprocess.draft import Draft, Outcome, Place, cut_or_decline
from fimble.postprocess.language import LanguageFacts
from fimble.postprocess.site import Site, Spot
from fimble.records import CursorWindow, DeclineReason

# Below this a line says too little to be recognized: `return`, `else:`, `pass`, `}`.
WORD_CHARS_MIN = 7
N_PARTIAL_CHARS_MIN = 6


def lines_after(window: CursorWindow, site: Site, n_lines_max: int) -> list[str]:
    """Give the nearest lines with text after the cursor, without trailing whitespace."""
    own = [window.line_prefix + window.line_suffix] if site.spot is Spot.ABOVE_LINE else []
    lines = (line.rstrip() for line in chain(own, window.lines_below))
    return list(islice(filter(None, lines), n_lines_max))


def is_telling(line: str) -> bool:
    """Say whether a line can be recognized by its text alone."""
    return len(re.sub(r"\W", "", line)) >= WORD_CHARS_MIN


def same_line(one: str, other: str) -> bool:
    """Compare two lines: the indentation exactly, the rest apart from the width of its gaps."""
    if one == other:
        return True
    lead, other_lead = (line[: len(line) - len(line.lstrip())] for line in (one, other))
    return lead == other_lead and re.sub(r"\s+", "", one) == re.sub(r"\s+", "", other)


def repeated_offset(text: str, window: CursorWindow, site: Site, goes_on: bool = False) -> int:
    """Find where `text` begins to repeat the lines below, or -1.

    With `goes_on` more lines may come: what only the end of the text would show is not found yet.
    """
    below = lines_after(window, site, n_lines_max=2)
    if not below:
        return -1
    offset = 0
    lines = text.split("\n")
    for index, line in enumerate(lines):
        whole = (window.line_prefix + line if index == 0 else line).rstrip()
        if whole.strip() and (index > 0 or line.strip()):
            rest = [entry.rstrip() for entry in lines[index + 1 :] if entry.strip()]
            if goes_on and not rest and not is_telling(whole):
                return -1
            if _repeats(whole, rest, below, site.facts, is_last=index == len(lines) - 1):
                return offset
        offset += len(line) + 1
    return -1


def _repeats(whole: str, rest: list[str], below: list[str], facts: LanguageFacts, is_last: bool) -> bool:
    if same_line(whole, below[0]):
        if is_telling(whole):
            return True
        # A short line is a repeat if nothing follows it, or if the next line repeats too. A line of closers is
        # left to `cut_unmatched_closer`, which can count.
        if facts.has_brackets and not re.search(r"\w", whole):
            return False
        return all(same_line(one, other) for one, other in zip(rest[:1], below[1:], strict=False))
    n_chars = len(whole.strip())
    return is_last and not rest and n_chars >= N_PARTIAL_CHARS_MIN and below[0].startswith(whole)


def cut_repeated_below(draft: Draft, place: Place) -> Outcome:
    """Cut where the answer goes on with the lines that follow the cursor."""
    while (end := repeated_offset(draft.text, place.window, place.site)) >= 0:
        # What is left may say the same lines once more, whose brackets were not closed as long as more followed.
        outcome = cut_or_decline(draft, end, DeclineReason.REPEATS_SUFFIX)
        if not isinstance(outcome, Draft) or outcome.text == draft.text:
            return outcome
        draft = outcome
    return draft
