"""Bytes to JSON-RPC messages and back, over whatever the editor is connected by. Knows no LSP method."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from io import RawIOBase
from typing import Any, BinaryIO, Protocol

from fimble.errors import FimbleError
from fimble.log import LOGGER

HEADER_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 1024 * 1024 * 1024
READ_BYTES = 64 * 1024
LENGTH_HEADER = b"content-length"

# JSON-RPC 2.0, section 5.1.
PARSE_ERROR = -32700
INVALID_REQUEST = -32600


class StreamError(FimbleError):
    """What arrives is not the protocol at all, so no later message can be found."""


class Receiver(Protocol):
    """Who takes the messages."""

    def receive(self, message: dict[str, Any]) -> None: ...

    def refuse(self, code: int, reason: str, request_id: str | int | None = None) -> None:
        """Answer what cannot be taken."""


async def pump(reader: asyncio.StreamReader, receiver: Receiver, is_done: Callable[[], bool]) -> None:
    """Hand each message to `receiver` until the stream ends or `is_done`.

    A body that is not a JSON object is refused and the next message is read.
    Errors: StreamError if the stream is something else altogether.
    Source: LSP 3.18, Base Protocol.
    """
    while not is_done():
        try:
            n_body_bytes = await _read_headers(reader)
            if n_body_bytes is None:
                return
            body = await reader.readexactly(n_body_bytes)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            receiver.refuse(PARSE_ERROR, "the message is not JSON")
            continue
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            request_id = message.get("id") if isinstance(message, dict) else None
            receiver.refuse(INVALID_REQUEST, "the message is not a JSON-RPC 2.0 object", request_id)
            continue
        receiver.receive(message)


async def _read_headers(reader: asyncio.StreamReader) -> int | None:
    """Give the length of the next body, or None at the end; a block without one is passed over."""
    n_body_bytes: int | None = None
    n_header_bytes = 0
    while True:
        try:
            line = await reader.readline()
        except ValueError as error:
            raise StreamError("the client does not speak the Language Server Protocol") from error
        if not line:
            return None
        n_header_bytes += len(line)
        if n_header_bytes > HEADER_BYTES_MAX:
            raise StreamError("the client does not speak the Language Server Protocol")
        if line.strip():
            name, _, value = line.partition(b":")
            if name.strip().lower() == LENGTH_HEADER:
                n_body_bytes = _length(value)
        elif n_body_bytes is not None:
            return n_body_bytes


def _length(value: bytes) -> int:
    if not value.strip().isdigit() or int(value) > BODY_BYTES_MAX:
        raise StreamError(f"a message announces a length that is not 0 to {BODY_BYTES_MAX} bytes")
    return int(value)


def read_in_thread(source: RawIOBase, loop: asyncio.AbstractEventLoop) -> asyncio.StreamReader:
    """Give a reader fed from a file by a thread.

    Reading on the loop would save each message two changes of threads, but a client that writes a large message
    before it reads and a server that writes a large answer would then wait for each other for ever.
    """
    reader = asyncio.StreamReader(limit=HEADER_BYTES_MAX, loop=loop)

    def feed(data: bytes) -> None:
        if data:
            reader.feed_data(data)
        else:
            reader.feed_eof()

    def read() -> None:
        data: bytes | None = b"start"
        while data:
            try:
                data = source.read(READ_BYTES)
            except (OSError, ValueError):
                data = b""
            try:
                loop.call_soon_threadsafe(feed, data or b"")
            except RuntimeError:  # the loop has closed
                return

    # A daemon: a thread that waits for a silent editor must not hold the process.
    threading.Thread(target=read, name="fimble-stdin", daemon=True).start()
    return reader


class FileWriter:
    """Write messages to a blocking file, and nothing more once the other side is gone."""

    def __init__(self, target: BinaryIO, on_gone: Callable[[], None]) -> None:
        self._target = target
        self._on_gone = on_gone
        self._is_gone = False

    def write(self, data: bytes) -> None:
        if self._is_gone:
            return
        try:
            self._target.write(data)
            self._target.flush()
        except (OSError, ValueError):
            self._is_gone = True
            LOGGER.info("the client is gone")
            self._on_gone()

    def close(self) -> None:
        """The file belongs to the process, not to the session."""
