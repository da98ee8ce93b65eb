"""When a suggestion agrees with the text, and how much of it is taken. Pure; one judgement for all sides.

A suggestion *agrees* with the text as it stands if it was made for this place, or has been typed through to it, and
takes nothing away around the cursor.
It *begins right* if, besides, it begins with the first word of what is about to be written, and with further words of
it until `RIGHT_CHARS_MIN` characters are full or the line ends; blanks belong to the word behind them. A word is the
least that editors let one take of a suggestion.
It is *taken* if its whole first line is right, to the end of the line or of the suggestion.
"""

from __future__ import annotations

import re

from fimble.bench.replay.screen import Ghost

RIGHT_CHARS_MIN = 3
TAKEN_CHARS_MIN = 3
"""Taking less would cost as many keys as typing it."""
_WORD = re.compile(r"\s*(?:\w+|[^\w\s])")


def agrees(ghost: Ghost | None) -> bool:
    """Say whether there is a suggestion for the text as it stands; the screen drops those for another text."""
    return ghost is not None and not ghost.n_replaced_chars


def begins_right(ghost: Ghost | None, rest: str) -> bool:
    """Say whether there is a suggestion and it begins as `rest` does."""
    needed = first_words(rest)
    return ghost is not None and not ghost.n_replaced_chars and bool(needed) and ghost.text.startswith(needed)


def first_words(rest: str) -> str:
    """Give the beginning of `rest` that a suggestion must have to begin right."""
    end = 0
    for match in _WORD.finditer(rest):
        if match.start() != end:
            break
        if end and "\n" in match.group():
            break
        end = match.end()
        if len(rest[:end].strip()) >= RIGHT_CHARS_MIN:
            break
    return rest[:end]


def first_line_chars(text: str) -> int:
    """Give the length of the first line that has something in it, with the blank lines before it."""
    start = len(text) - len(text.lstrip("\n"))
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def taken_chars(ghost: Ghost | None, rest: str) -> int:
    """Give how much of the suggestion the typist takes: all whole lines that are right from the first one on; 0: none.

    The last line of a suggestion may end before the line does; blanks at its end are left.
    """
    if ghost is None or ghost.n_replaced_chars:
        return 0
    text = ghost.text
    taken, end = 0, 0
    while end < len(text):
        end += first_line_chars(text[end:]) or len(text)
        line = text[:end].rstrip()
        # A line of the suggestion that stops early is right; one after which another follows must be whole.
        if not rest.startswith(line) or (end < len(text) and rest[len(line) : len(line) + 1] not in ("\n", "")):
            break
        taken = len(line)
    return taken if taken >= TAKEN_CHARS_MIN else 0


def is_exact_line(text: str, rest: str) -> bool:
    """Say whether the suggestion's first line is the line that is about to be written, blanks at ends aside."""
    line = text[: first_line_chars(text)].rstrip()
    return bool(line.strip()) and line == rest[: first_line_chars(rest)].rstrip()
