"""Filter: a model that goes round in circles. Looks at the answer alone, not at the document."""

from __future__ import annotations

import re

from fimble.postprocess.draft import Draft, Outcome, Place, cut_or_decline
from fimble.postprocess.language import LanguageFacts
from fimble.postprocess.site import is_comment
from fimble.records import Decline, DeclineReason

# Chosen by hand: rows of a table or two equal statements are ordinary code, this many are not.
N_EQUAL_LINES = 3
N_EQUAL_BLOCKS = 2
BLOCK_LINES_MAX = 8
BLOCK_WORD_CHARS_MIN = 12
UNIT_CHARS_MAX = 32
N_EQUAL_UNITS = 6
LOOP_CHARS_MIN = 40
LINE_CHARS_READ_MAX = 2000
_LOOP_IN_LINE = re.compile(rf"(?P<unit>.{{2,{UNIT_CHARS_MAX}}}?)(?P=unit){{{N_EQUAL_UNITS - 1},}}")


def repeated_lines(text: str, line_prefix: str) -> int:
    """Give how many lines of `text`, which goes on after `line_prefix`, to keep where they start to repeat, or -1.

    One line three times in a row, or a block of lines twice, is a loop; its first round is kept.
    """
    lines = (line_prefix + text).split("\n")
    for start in range(len(lines) - 1):
        for period in range(1, min(BLOCK_LINES_MAX, (len(lines) - start) // 2) + 1):
            n_rounds = N_EQUAL_LINES if period == 1 else N_EQUAL_BLOCKS
            unit = lines[start : start + period]
            if start + period * n_rounds > len(lines) or not unit[0].strip():
                continue
            if all(lines[start + period * n : start + period * (n + 1)] == unit for n in range(1, n_rounds)):
                n_word_chars = sum(len(re.sub(r"\W", "", line)) for line in unit)
                if n_word_chars >= (1 if period == 1 else BLOCK_WORD_CHARS_MIN):
                    return start + period
    return -1


def repeated_unit_offset(line: str) -> int:
    """Find where a line starts to repeat one unit over and over, or -1; rows of digits and rulers are code."""
    if len(line) < LOOP_CHARS_MIN:
        return -1
    for match in _LOOP_IN_LINE.finditer(line, 0, LINE_CHARS_READ_MAX):
        if len(match.group()) >= LOOP_CHARS_MIN and _has_letter(match["unit"]):
            return match.start() + len(match["unit"])
    return -1


def ends_in_loop(line: str) -> bool:
    """Say whether the end of a line repeats one unit: what `repeated_unit_offset` finds, asked at each token."""
    if len(line) < LOOP_CHARS_MIN:
        return False
    for n_chars in range(2, UNIT_CHARS_MAX + 1):
        unit = line[-n_chars:]
        n_units = max(N_EQUAL_UNITS, -(-LOOP_CHARS_MIN // n_chars))
        if line.endswith(unit * n_units) and _has_letter(unit):
            return True
    return False


def _has_letter(text: str) -> bool:
    return any(char.isalpha() for char in text)


def cut_repetition(draft: Draft, place: Place) -> Outcome:
    """Keep the first round of repeated lines; cut a line that repeats a unit, or decline if it is the only one."""
    lines = draft.text.split("\n")
    n_kept = repeated_lines(draft.text, place.window.line_prefix)
    if n_kept >= 0:
        lines = lines[:n_kept]
        draft = draft.with_text("\n".join(lines))
    offset = 0
    for line in lines:
        if repeated_unit_offset(line) >= 0:
            return cut_or_decline(draft, offset, DeclineReason.REPETITION_LOOP)
        offset += len(line) + 1
    if _is_empty_comments(lines, place.site.facts):
        return Decline(DeclineReason.REPETITION_LOOP, "empty comments")
    return draft


def _is_empty_comments(lines: list[str], facts: LanguageFacts) -> bool:
    """Say whether there are several lines and each is a comment without a word."""
    written = [line for line in lines if line.strip()]
    return len(written) > 1 and all(is_comment(line, facts) and not re.search(r"\w", line) for line in written)
