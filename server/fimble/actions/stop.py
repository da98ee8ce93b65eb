"""When an answer is long enough: its code block is closed, it starts to show itself off, it goes round in circles."""

from __future__ import annotations

import re

_FENCE_END = re.compile(r"^`{3,}[ \t]*$", re.MULTILINE)
# What a chat model likes to add after the code it was asked for.
_SHOWING_OFF = {
    "python": re.compile(r"^(?:print\(|if __name__\b|# (?:Example|Test|Usage)\b|assert )", re.MULTILINE),
    "javascript": re.compile(r"^(?:console\.log\(|// (?:Example|Test|Usage)\b)", re.MULTILINE),
    "go": re.compile(r"^(?:func main\(|// Example\b)", re.MULTILINE),
    "rust": re.compile(r"^(?:fn main\(|#\[cfg\(test\)\]|// Example\b)", re.MULTILINE),
}
_SHOWING_OFF["typescript"] = _SHOWING_OFF["typescriptreact"] = _SHOWING_OFF["javascript"]
_DEFINES = re.compile(
    r"^[ \t]*(?:(?:export|default|pub(?:\(\w+\))?|async|static)[ \t]+)*"
    r"(?:def|class|function|func|fn|const|let|impl|struct)\b",
    re.MULTILINE,
)
LOOP_LINES = 6
"""The same line this often over is a loop."""
ROUND_LINES_MAX = 4
LOOP_ROUNDS = 4
"""So many rounds of the same few lines are one, too."""


def fenced_end(prefill: str, text: str, language: str) -> int | None:
    """Give where the code that began in the prefill ends in `text`, or None if it goes on.

    Lines that only show the code's use end it too, once something is defined.
    """
    ends = [m.start() for m in (_FENCE_END.search(text),) if m]
    showing_off = _SHOWING_OFF.get(language)
    for found in showing_off.finditer(text) if showing_off is not None else ():
        if _DEFINES.search(prefill + text[: found.start()]) and text[: found.start()].strip():
            ends.append(found.start())
            break
    return min(ends, default=None)


def is_looping(text: str) -> bool:
    """Say whether the answer goes round in circles: one line, or a few, over and over."""
    n_lines = 2 * ROUND_LINES_MAX * LOOP_ROUNDS
    lines = [line.strip() for line in text.rsplit("\n", n_lines)[1:-1] if line.strip()]
    return any(_repeats(lines, n, max(LOOP_ROUNDS, LOOP_LINES // n)) for n in range(1, ROUND_LINES_MAX + 1))


def _repeats(lines: list[str], n_lines: int, n_rounds: int) -> bool:
    last = lines[-n_lines * n_rounds :]
    # Closing brackets come in rows without being a loop.
    return (
        len(last) == n_lines * n_rounds
        and last == last[:n_lines] * n_rounds
        and any(len(line) > 3 for line in last[:n_lines])
    )
