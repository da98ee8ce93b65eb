"""File URIs as paths and back. Touches no disk."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname


def path_of(uri: str) -> str | None:
    """Give the path of a `file:` URI, or None for any other (`untitled:`, a notebook's cell)."""
    parts = urlsplit(uri)
    if parts.scheme != "file":
        return None
    # A drive letter's colon may come escaped.
    return url2pathname(unquote(parts.path).replace("%", "%25"))


def uri_of(path: str | Path) -> str:
    """Give the `file:` URI of an absolute path."""
    return Path(path).as_uri()
