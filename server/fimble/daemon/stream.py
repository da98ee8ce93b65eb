"""One connection's bytes, bounded in both directions. Cuts messages out; does not know what they say."""

from __future__ import annotations

import asyncio

from fimble.daemon.framing import BODY_BYTES_MAX, FrameError, FrameSplitter, Skipped
from fimble.log import LOGGER

READ_BYTES = 64 * 1024
UNSENT_BYTES_MAX = 16_000_000
"""A peer that leaves so much unread is let go; its shim comes back with its documents."""


class Stream:
    """Messages in, bytes out.

    Reading waits while the peer leaves answers unread: a slow reader stops itself and nobody else.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._splitter = FrameSplitter(BODY_BYTES_MAX)
        self._ready: list[bytes | Skipped] = []
        self._is_ended = False

    async def read(self) -> bytes | Skipped | None:
        """Give the next message, `Skipped` for one that was too large, None at the end.

        Errors: FrameError if the stream is no sequence of messages.
        """
        while not self._ready:
            await self.drain()
            data = b"" if self._is_ended else await self._reader.read(READ_BYTES)
            if not data:
                return None
            self._ready = self._splitter.feed(data)
            self._ready.reverse()
        return self._ready.pop()

    async def read_body(self) -> bytes:
        """Give the next message. Errors: FrameError if none of an acceptable size comes."""
        item = await self.read()
        if not isinstance(item, bytes):
            raise FrameError("no message came")
        return item

    def write(self, data: bytes) -> None:
        """Queue bytes; lets the peer go when it leaves too much unread."""
        transport = self._writer.transport
        if transport.is_closing():
            return
        self._writer.write(data)
        if transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            LOGGER.warning("a peer left %d bytes unread and is let go", UNSENT_BYTES_MAX)
            self.abort()

    async def drain(self) -> None:
        """Wait until the peer has read most of what was written."""
        if not self._is_ended:
            await self._writer.drain()

    def end(self) -> None:
        """Read no more; what is queued is still sent."""
        self._is_ended = True
        self._reader.feed_eof()
        self._writer.close()

    def close(self) -> None:
        """Close once the peer has read what was written."""
        self._is_ended = True
        self._writer.close()

    def abort(self) -> None:
        """Close at once; what is unread is lost."""
        self._is_ended = True
        self._writer.transport.abort()
