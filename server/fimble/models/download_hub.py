"""Read a publisher's file from a model hub over HTTPS, from the byte where an earlier run stopped."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

from fimble import __version__
from fimble.manifest import HubSource
from fimble.models.part_file import PartFile, SourceError

HUB_URL = "https://huggingface.co"
SILENCE_MAX_S = 30
NETWORK_CHUNK_BYTES = 1 << 16
"""Small enough that progress is seen on a slow line, and that little is lost when it breaks."""
RESUMES_MAX = 5
"""Connections that break after giving something are taken up again this often in one run."""


def hub_urls() -> list[str]:
    """Give the hubs to ask: `FIMBLE_HUB_URL` (several, separated by spaces), or the public one."""
    return os.environ.get("FIMBLE_HUB_URL", HUB_URL).split()


def fetch(source: HubSource, part: PartFile, on_bytes: Callable[[int], None]) -> None:
    """Append what is missing of the file to `part`.

    Errors: SourceError with each hub's reason; DiskFullError.
    """
    path = urllib.parse.quote(source.path)
    ask_hubs(source.repository, source.revision, lambda address: _fetch_url(address + path, part, on_bytes))


def ask_hubs(repository: str, revision: str, fetch_from: Callable[[str], None]) -> None:
    """Try the hubs in order until one gives what is asked for at its address of the repository (with a last `/`).

    Errors: SourceError with each hub's reason; what else `fetch_from` raises.
    """
    reasons = []
    for base in hub_urls():
        try:
            fetch_from(f"{base.rstrip('/')}/{repository}/resolve/{revision}/")
        except SourceError as error:
            reasons.append(f"{base}: {error}")
        else:
            return
    raise SourceError("; ".join(reasons) or "`FIMBLE_HUB_URL` is empty")


def _fetch_url(url: str, part: PartFile, on_bytes: Callable[[int], None]) -> None:
    if not url.startswith(("https://", "http://")):
        raise SourceError("its address is neither https nor http")
    for _ in range(RESUMES_MAX):
        n_bytes_before = part.n_bytes
        reason = _fetch_once(url, part, on_bytes)
        if not part.n_bytes_left:
            return
        if part.n_bytes == n_bytes_before:
            break
    raise SourceError(reason or f"it ended after {part.n_bytes} of {part.n_bytes_expected} bytes")


def _fetch_once(url: str, part: PartFile, on_bytes: Callable[[int], None]) -> str:
    """Read until the file or the connection ends; gives why it ended early."""
    headers = {"User-Agent": f"fimble/{__version__}", "Accept-Encoding": "identity"}
    if part.n_bytes:
        headers["Range"] = f"bytes={part.n_bytes}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # the scheme was looked at
    try:
        with urllib.request.urlopen(request, timeout=SILENCE_MAX_S) as answer:  # noqa: S310
            if part.n_bytes and answer.status != http.client.PARTIAL_CONTENT:
                # This server does not resume: it begins again, and so do we.
                part.restart()
            while chunk := answer.read(NETWORK_CHUNK_BYTES):
                part.write(chunk)
                on_bytes(part.n_bytes)
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code} {error.reason}"
    except urllib.error.URLError as error:
        return str(error.reason)
    except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
        return f"the connection broke: {error or type(error).__name__}"
    return ""
