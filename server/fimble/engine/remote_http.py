"""One POST to an OpenAI-compatible server, streamed, bounded in time, and stoppable. Knows no tokens and no model."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fimble.errors import EngineError, SettingsError

CONNECT_LIMIT_MS = 3_000
WATCH_MS = 25
LINE_BYTES_MAX = 1_000_000
ANSWER_BYTES_MAX = 8_000_000
EVENT = b"data:"


class RemoteError(EngineError):
    """The server did not do what it was asked. `retry_after_s` is its own wish, if it said one."""

    def __init__(self, message: str, hint: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after_s = retry_after_s


class StoppedError(Exception):
    """The caller did not want the answer any more."""


@dataclass(frozen=True, slots=True, repr=False)
class RemoteServer:
    """Where requests go. The key is in no representation and in no message."""

    scheme: str
    host: str
    port: int | None
    path: str
    key: str

    @property
    def shown(self) -> str:
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port else "")


def parse_server(url: str, key: str) -> RemoteServer:
    """Read a base URL such as `http://127.0.0.1:8080/v1`.

    Errors: SettingsError if it is none, or if the key would travel unencrypted to another machine.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"`remote_url` is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise SettingsError("`remote_url` must be http:// or https:// with a host", "such as http://127.0.0.1:8080/v1")
    if parts.scheme == "http" and key and not _is_loopback(parts.hostname):
        raise SettingsError(
            f"the key for `{parts.hostname}` would travel unencrypted", "use https, or a tunnel to this machine"
        )
    return RemoteServer(parts.scheme, parts.hostname, port, parts.path.rstrip("/"), key)


class Exchange:
    """One request and its answer; `close` frees the connection, which also stops the server's work."""

    def __init__(self, server: RemoteServer, limit_at_s: float, is_stopped: Callable[[], bool]) -> None:
        """Units: `limit_at_s` is a `time.monotonic()` instant."""
        self._server = server
        self._limit_at_s = limit_at_s
        self._is_stopped = is_stopped
        self._connection: http.client.HTTPConnection | None = None
        self._is_over = threading.Event()

    def post(self, path: str, body: dict[str, Any]) -> http.client.HTTPResponse:
        """Give the answer's head once it is known to be a good one. Errors: RemoteError; StoppedError."""
        server = self._server
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
        if server.key:
            headers["Authorization"] = f"Bearer {server.key}"
        with self._told_apart():
            self._connection = _connect(server)
            self._connection.connect()
            self._connection.sock.settimeout(max(0.05, self._limit_at_s - time.monotonic()))
            threading.Thread(
                target=self._watch, args=(self._connection.sock,), name="fimble-remote", daemon=True
            ).start()
            self._connection.request("POST", server.path + path, json.dumps(body).encode(), headers)
            response = self._connection.getresponse()
            self._check(response)
            return response

    def events(self, response: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
        """Give the server-sent events up to `[DONE]`. Errors: RemoteError; StoppedError."""
        n_bytes = 0
        with self._told_apart():
            while line := response.readline(LINE_BYTES_MAX):
                n_bytes += len(line)
                if n_bytes > ANSWER_BYTES_MAX:
                    raise RemoteError(f"{self._server.shown} sends without end")
                if not line.startswith(EVENT):
                    continue  # comments and other fields keep the stream alive
                data = line[len(EVENT) :].strip()
                if data == b"[DONE]":
                    return
                yield self._object(data)
            raise RemoteError(f"{self._server.shown} closed the connection in mid-answer")

    def whole(self, response: http.client.HTTPResponse) -> dict[str, Any]:
        """Give an answer that is not streamed. Errors: RemoteError; StoppedError."""
        with self._told_apart():
            return self._object(response.read(ANSWER_BYTES_MAX))

    def close(self) -> None:
        self._is_over.set()
        if self._connection is not None:
            self._connection.close()

    def _object(self, data: bytes) -> dict[str, Any]:
        try:
            found = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise RemoteError(f"{self._server.shown} answers with something else than JSON") from error
        if not isinstance(found, dict):
            raise RemoteError(f"{self._server.shown} answers with something else than an object")
        if found.get("error"):
            raise RemoteError(f"{self._server.shown} reports an error in mid-answer")
        return found

    def _check(self, response: http.client.HTTPResponse) -> None:
        shown, status = self._server.shown, response.status
        if status == 200:
            return
        if 300 <= status < 400:
            # Never followed: the key and the user's text would go to whoever the answer names.
            target = urlsplit(response.getheader("Location") or "").hostname or "elsewhere"
            raise RemoteError(
                f"{shown} redirects to `{target}`, which is not followed", "set `remote_url` to the address meant"
            )
        if status in (401, 403):
            raise RemoteError(f"{shown} refuses the key ({status})", "set `FIMBLE_API_KEY`")
        if status in (400, 404, 422):
            raise RemoteError(
                f"{shown} knows no such model or path ({status})", "check `remote_url` and `remote_model`"
            )
        if status == 429:
            wait_s = _seconds(response.getheader("Retry-After"))
            raise RemoteError(f"{shown} is asked too often (429)", retry_after_s=wait_s if wait_s is not None else 5.0)
        raise RemoteError(f"{shown} failed ({status})", retry_after_s=_seconds(response.getheader("Retry-After")))

    def _watch(self, sock: socket.socket) -> None:
        """Cut the connection as soon as the answer is not wanted: a blocked read cannot look."""
        while not self._is_over.wait(WATCH_MS / 1000):
            if self._is_stopped() or time.monotonic() >= self._limit_at_s:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
                return

    @contextlib.contextmanager
    def _told_apart(self) -> Iterator[None]:
        """Turn what the network raises into what the user is told."""
        shown = self._server.shown
        try:
            yield
        except RemoteError:
            if self._is_stopped():
                raise StoppedError from None
            if time.monotonic() >= self._limit_at_s:
                raise RemoteError(
                    f"{shown} took too long", "raise `remote_timeout_ms`, or choose a smaller model"
                ) from None
            raise
        except (OSError, http.client.HTTPException) as error:
            if self._is_stopped():
                raise StoppedError from error
            if isinstance(error, TimeoutError) or time.monotonic() >= self._limit_at_s:
                raise RemoteError(
                    f"{shown} took too long", "raise `remote_timeout_ms`, or choose a smaller model"
                ) from error
            raise RemoteError(*_explained(shown, error)) from error


def _explained(shown: str, error: Exception) -> tuple[str, str | None]:
    if isinstance(error, ConnectionRefusedError):
        return f"nobody listens at {shown}", "start the server, or check `remote_url`"
    if isinstance(error, ssl.SSLError):
        return f"the certificate of {shown} is not trusted", "install its authority's certificate on this machine"
    if isinstance(error, socket.gaierror):
        return f"{shown} is not known", "check `remote_url`"
    if isinstance(error, http.client.HTTPException):
        return f"{shown} does not answer in HTTP, or closed in mid-answer", None
    return f"the connection to {shown} failed", None


def _connect(server: RemoteServer) -> http.client.HTTPConnection:
    limit_s = CONNECT_LIMIT_MS / 1000
    if server.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(server.host, server.port, timeout=limit_s, context=context)
    return http.client.HTTPConnection(server.host, server.port, timeout=limit_s)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
