"""Messages with a `Content-Length` header, cut out of a byte stream. Knows neither sockets nor what a message says."""

from __future__ import annotations

import re
from typing import NamedTuple

HEADER_BYTES_MAX = 4096
BODY_BYTES_MAX = 128 * 1024 * 1024
"""A larger message is skipped unread: documents beyond `document_bytes_max` get no ghost text anyway."""

_CONTENT_LENGTH = re.compile(rb"(?:^|\r\n)content-length:[ \t]*(\d{1,18})[ \t]*(?=\r\n|$)", re.IGNORECASE)


class FrameError(Exception):
    """The stream is no sequence of messages any more; it cannot be read on."""


class Skipped(NamedTuple):
    """A message that was too large and whose bytes were thrown away."""

    n_body_bytes: int


class FrameSplitter:
    """Takes bytes as they come and gives whole message bodies."""

    def __init__(self, body_bytes_max: int = BODY_BYTES_MAX) -> None:
        self._body_bytes_max = body_bytes_max
        self._buffer = bytearray()
        self._n_body_bytes: int | None = None
        self._n_skip_bytes = 0

    def feed(self, data: bytes) -> list[bytes | Skipped]:
        """Give the messages that `data` completes.

        Errors: FrameError if a header is not one of a message.
        """
        self._buffer += data
        found: list[bytes | Skipped] = []
        while (item := self._next()) is not None:
            found.append(item)
        return found

    def _next(self) -> bytes | Skipped | None:
        if self._n_skip_bytes:
            n_dropped = min(self._n_skip_bytes, len(self._buffer))
            del self._buffer[:n_dropped]
            self._n_skip_bytes -= n_dropped
            if self._n_skip_bytes:
                return None
        if self._n_body_bytes is None and not self._read_header():
            return None
        n_body_bytes = self._n_body_bytes
        assert n_body_bytes is not None
        if n_body_bytes > self._body_bytes_max:
            self._n_body_bytes, self._n_skip_bytes = None, n_body_bytes
            return Skipped(n_body_bytes)
        if len(self._buffer) < n_body_bytes:
            return None
        body = bytes(self._buffer[:n_body_bytes])
        del self._buffer[:n_body_bytes]
        self._n_body_bytes = None
        return body

    def _read_header(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n", 0, HEADER_BYTES_MAX)
        if end < 0:
            if len(self._buffer) >= HEADER_BYTES_MAX:
                raise FrameError(f"no message header within {HEADER_BYTES_MAX} bytes")
            return False
        match = _CONTENT_LENGTH.search(bytes(self._buffer[:end]))
        if match is None:
            raise FrameError("a message header has no valid `Content-Length`")
        del self._buffer[: end + 4]
        self._n_body_bytes = int(match.group(1))
        return True


def frame(body: bytes) -> bytes:
    """Give `body` with its header."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
