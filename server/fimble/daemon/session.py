"""One editor's LSP session over a stream of the daemon. What the methods do is written in `lsp`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, cast

from fimble.daemon.framing import FrameError, Skipped, frame
from fimble.daemon.stream import Stream
from fimble.lsp.server import FimbleServer
from fimble.lsp.stream import INVALID_REQUEST, PARSE_ERROR


class LspSession:
    """A language server that shares its process."""

    def __init__(self, server: FimbleServer) -> None:
        self._server = server

    async def serve(self, stream: Stream) -> None:
        await self._server.serve(cast(asyncio.StreamReader, _Reader(stream)), stream)

    def describe(self) -> dict[str, Any]:
        return {
            "client": self._server.client_name,
            "n_documents": len(self._server.documents.uris),
            "model": self._server.options.settings.model,
        }


class _Reader:
    """A stream's messages as the lines and bytes that the language server reads."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._body: bytes | None = None

    async def readline(self) -> bytes:
        if self._body is None:
            self._body = await self._next()
            if self._body is None:
                return b""
            return b"Content-Length: %d\r\n" % len(self._body)
        return b"\r\n"

    async def readexactly(self, n_bytes: int) -> bytes:
        body, self._body = self._body, None
        assert body is not None and len(body) == n_bytes
        return body

    async def _next(self) -> bytes | None:
        while True:
            try:
                item = await self._stream.read()
            except FrameError as error:
                self._refuse(PARSE_ERROR, str(error))
                return None
            if not isinstance(item, Skipped):
                return item
            self._refuse(INVALID_REQUEST, f"a message of {item.n_body_bytes} bytes is too large and was not read")

    def _refuse(self, code: int, text: str) -> None:
        body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": text}}
        self._stream.write(frame(json.dumps(body).encode()))


def options_of(words: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options in a shim's greeting; what is not a pair of key and value is left out."""
    pairs = words.get("options")
    if not isinstance(pairs, list):
        return {}
    return {
        pair[0]: pair[1] for pair in pairs if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)
    }
