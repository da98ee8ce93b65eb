"""Who may ask: this machine, with the token, and no page in a browser. Reads no body beyond its limit."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

BODY_BYTES_MAX = 8_000_000
PUBLIC_PATHS = ("/health",)
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """ASGI middleware before every route.

    A request with an `Origin` comes from a browser's page and is refused; so is a `Host` that is not this
    machine's, which is how a page reaches a local server by a name of its own (DNS rebinding).
    """

    def __init__(self, app: App, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _answer(send, *refusal)
            return
        await self._app(scope, _bounded(receive), send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        client = scope.get("client")
        if client is None or client[0] not in ("127.0.0.1", "::1"):
            return 403, "only this machine may ask"
        if "origin" in headers:
            return 403, "requests from a browser's page are refused"
        host = headers.get("host", "")
        if host.rpartition(":")[0] not in LOOPBACK_HOSTS and host not in LOOPBACK_HOSTS:
            return 403, "the host named is not this machine"
        if scope["path"] in PUBLIC_PATHS:
            return None
        given = headers.get("authorization", "")
        if not given:
            return 401, "the token is missing; send `Authorization: Bearer TOKEN`"
        if not secrets.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return 401, "the token is wrong"
        length = headers.get("content-length", "0")
        if not re.fullmatch(r"[0-9]{1,18}", length) or int(length) > BODY_BYTES_MAX:
            return 413, f"the body is larger than {BODY_BYTES_MAX} bytes"
        return None


def _bounded(receive: Receive) -> Receive:
    """Give a `receive` that ends a body which grows beyond the limit."""
    n_bytes = 0

    async def bounded() -> MutableMapping[str, Any]:
        nonlocal n_bytes
        message = await receive()
        n_bytes += len(message.get("body", b""))
        return message if n_bytes <= BODY_BYTES_MAX else {"type": "http.disconnect"}

    return bounded


async def _answer(send: Send, status: int, text: str) -> None:
    body = json.dumps({"error": {"message": text, "type": "invalid_request_error", "code": status}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
