"""How much of an unfinished answer may be shown: whole lines, or whole words of its first line. Pure."""

from __future__ import annotations

import re

_LAST_WORD = re.compile(r"\w+\Z")
_DANGLING = re.compile(r"[\s.\-+*/%&|^=<>!~:,@\\]+\Z")


def whole_part(text: str) -> str:
    """Give the whole lines of `text`, or if there is none, its line up to the last word that is surely whole.

    A word is whole when something else follows it. What joins two words is left out with the second one.
    """
    head = text[: len(text) - len(text.lstrip("\n"))]
    body = text[len(head) :]
    end = body.rfind("\n")
    if end > 0 and body[:end].strip():
        return head + body[: end + 1]
    indent = body[: len(body) - len(body.lstrip(" \t"))]
    words = _DANGLING.sub("", _LAST_WORD.sub("", body[len(indent) :]))
    return head + indent + words if re.search(r"\w", words) else ""
