"""File URIs as paths and back. Touches no disk."""

from __future__ import annotations

import re
from pathlib import PurePath
from urllib.parse import unquote, urlsplit

_DRIVE = re.compile(r"^/[A-Za-z]:")


def path_of(uri: str) -> str | None:
    """Give the path of a `file:` URI, or None for any other (`untitled:`, a notebook's cell)."""
    parts = urlsplit(uri)
    if parts.scheme != "file":
        return None
    path = unquote(parts.path)
    # `file:///c:/x` is `c:/x` on Windows; elsewhere no path begins like that.
    return path[1:] if _DRIVE.match(path) else path


def uri_of(path: str | PurePath) -> str:
    """Give the `file:` URI of an absolute path."""
    return PurePath(path).as_uri()
