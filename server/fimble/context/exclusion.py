"""Which files must never be completed or enter a prompt. Decides from the path alone; reads no file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol
from urllib.parse import unquote, urlsplit


class IgnoredFiles(Protocol):
    """Who knows what ignore files rule out, without reading them while the user types."""

    async def why(self, uri: str, names: Sequence[str]) -> str | None:
        """Give the pattern that rules the document out, or None."""


def excluded_by(uri: str, globs: Sequence[str]) -> str | None:
    """Give the first glob that matches the URI's path, or None.

    `**` matches any number of folders, `*` and `?` stay within one; letters' case does not count.
    """
    return _excluded_by(uri, tuple(globs))


@lru_cache(maxsize=128)
def _excluded_by(uri: str, globs: tuple[str, ...]) -> str | None:
    path = unquote(urlsplit(uri).path or uri).replace("\\", "/")
    for glob in globs:
        if _compiled(glob).fullmatch(path):
            return glob
    return None


@lru_cache(maxsize=1024)
def _compiled(glob: str) -> re.Pattern[str]:
    pattern = ""
    rest = glob.replace("\\", "/")
    while rest:
        if rest.startswith("**/"):
            pattern, rest = pattern + "(?:.*/)?", rest[3:]
        elif rest.startswith("**"):
            pattern, rest = pattern + ".*", rest[2:]
        elif rest[0] == "*":
            pattern, rest = pattern + "[^/]*", rest[1:]
        elif rest[0] == "?":
            pattern, rest = pattern + "[^/]", rest[1:]
        else:
            pattern, rest = pattern + re.escape(rest[0]), rest[1:]
    return re.compile(pattern, re.IGNORECASE)
