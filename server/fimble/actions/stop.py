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
    """Say whether the last lines are the same line over and over."""
    lines = [line.strip() for line in text.rsplit("\n", LOOP_LINES * 2)[1:] if line.strip()]
    last = lines[-LOOP_LINES - 1 : -1]
    return len(last) == LOOP_LINES and len(set(last)) == 1 and len(last[0]) > 3
