"""Accept editors and give each one its own session. Knows what a session is only by its protocol: no LSP here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from fimble import __version__, garbage
from fimble.daemon import greeting
from fimble.daemon.endpoint import Listener, is_in_place, listen, remove
from fimble.daemon.framing import FrameError, frame
from fimble.daemon.peer import check_peer
from fimble.daemon.place import WINDOWS, Place
from fimble.daemon.stream import Stream
from fimble.errors import FimbleError
from fimble.log import LOGGER

GREETING_LIMIT_MS = 5_000
"""Who connects and says nothing is let go: half-open connections must not pile up."""
CONNECTIONS_MAX = 128
HOUSEKEEPING_MS = 500
CLOSE_LIMIT_MS = 2_000


class Session(Protocol):
    """One editor's conversation."""

    async def serve(self, stream: Stream) -> None:
        """Talk until either side ends; never raises for what the peer sends."""

    def describe(self) -> dict[str, Any]:
        """Give what `fimble daemon status` shows of it; no document text."""


MakeSession = Callable[[int, Mapping[str, Any]], Session]
"""From the session's number and the words of its greeting. Errors: FimbleError if the greeting asks for nonsense."""


@dataclass
class _Open:
    session: Session
    stream: Stream
    opened_at_s: float = field(default_factory=time.monotonic)


class Broker:
    """The daemon's accept loop, its control words and its end."""

    def __init__(
        self,
        place: Place,
        make_session: MakeSession,
        idle_exit_s: float,
        describe: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        self._place = place
        self._make_session = make_session
        self._idle_exit_s = idle_exit_s
        self._describe = describe
        self._open: dict[int, _Open] = {}
        self._n_sessions_ever = 0
        self._n_left = 0
        self._n_connections = 0
        self._started_at_s = time.monotonic()
        self._idle_since_s = time.monotonic()
        self._leaving = asyncio.Event()
        self._farewell = "idle"
        self._listener: Listener | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until idle for too long or told to stop; the caller holds the daemon's lock."""
        await self._bind()
        try:
            while not self._leaving.is_set():
                await self._keep_house()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(HOUSEKEEPING_MS / 1000):
                        await self._leaving.wait()
        finally:
            await self._close()

    def leave(self, farewell: str) -> None:
        """End `run`: `farewell` is `stop`, `restart` or `idle`, as the shims are told."""
        self._farewell = farewell
        self._leaving.set()

    def touch(self) -> None:
        """Count as used: whoever asks over HTTP opens no session."""
        self._idle_since_s = time.monotonic()

    async def _bind(self) -> None:
        self._listener = listen(self._place)
        self._listener.socket.setblocking(False)
        self._server = await asyncio.start_server(self._accept, sock=self._listener.socket, limit=64 * 1024)

    async def _bind_again(self) -> None:
        LOGGER.warning("the socket was removed; it is bound again")
        assert self._server is not None
        self._server.close()
        try:
            await self._bind()
        except (OSError, FimbleError) as error:
            # Who is connected stays so; it is tried again at the next look.
            LOGGER.warning("the socket cannot be bound: %s", error)

    async def _keep_house(self) -> None:
        assert self._listener is not None
        if not is_in_place(self._place, self._listener):
            await self._bind_again()
        if self._n_left:
            self._n_left = 0
            garbage.give_back()
        if self._open or self._n_connections:
            self._idle_since_s = time.monotonic()
        elif time.monotonic() - self._idle_since_s >= self._idle_exit_s:
            LOGGER.info("no editor for %.0f s: leaving", self._idle_exit_s)
            self.leave("idle")

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        remove(self._place)
        goodbye = {"jsonrpc": "2.0", "method": greeting.GOODBYE, "params": {"reason": self._farewell}}
        for one in self._open.values():
            one.stream.write(frame(json.dumps(goodbye).encode()))
            one.stream.end()
        tasks = [task for task in self._connections if task is not asyncio.current_task()]
        if tasks:
            _done, pending = await asyncio.wait(tasks, timeout=CLOSE_LIMIT_MS / 1000)
            for task in pending:
                task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self._n_connections += 1
        stream = Stream(reader, writer)
        try:
            await self._receive(stream, writer)
        except (OSError, FrameError, FimbleError) as error:
            LOGGER.info("connection ended: %s", type(error).__name__)
        except Exception:
            # One session's defect must not end the others.
            LOGGER.exception("a session failed")
        finally:
            self._n_connections -= 1
            self._connections.discard(task)
            stream.close()

    async def _receive(self, stream: Stream, writer: asyncio.StreamWriter) -> None:
        raw = writer.get_extra_info("socket")
        if not WINDOWS:
            check_peer(cast(socket.socket, raw))  # asyncio's wrapper answers `getsockopt` as well
        async with asyncio.timeout(GREETING_LIMIT_MS / 1000):
            words = greeting.parse(await stream.read_body())
        assert self._listener is not None
        shown = str(words.get("token", "")).encode("utf-8", "surrogatepass")
        if not secrets.compare_digest(shown, self._listener.token.encode()):
            stream.write(greeting.answer(greeting.REFUSED, reason="the token is wrong"))
        elif self._n_connections > CONNECTIONS_MAX:
            stream.write(greeting.answer(greeting.REFUSED, reason=f"{CONNECTIONS_MAX} editors are connected"))
        elif words.get("role") == greeting.CONTROL:
            await self._control(stream, words)
        elif words.get("version") != __version__:
            self._make_way(stream)
        elif self._leaving.is_set():
            stream.write(greeting.answer(greeting.LEAVING))
        else:
            await self._serve(stream, words)
        await stream.drain()

    def _make_way(self, stream: Stream) -> None:
        """Let a shim of another version have its own daemon, but not at the cost of open sessions."""
        if self._open:
            stream.write(greeting.answer(greeting.OTHER_VERSION, n_sessions=len(self._open)))
            return
        stream.write(greeting.answer(greeting.LEAVING))
        self.leave("idle")

    async def _serve(self, stream: Stream, words: Mapping[str, Any]) -> None:
        self._n_sessions_ever += 1
        number = self._n_sessions_ever
        try:
            session = self._make_session(number, words)
        except FimbleError as error:
            stream.write(greeting.answer(greeting.REFUSED, reason=error.message))
            return
        self._open[number] = _Open(session, stream)
        stream.write(greeting.answer(greeting.WELCOME, session=number))
        LOGGER.info("session %d opened", number)
        try:
            await session.serve(stream)
        finally:
            del self._open[number]
            self._n_left += 1
            LOGGER.info("session %d closed", number)

    async def _control(self, stream: Stream, words: Mapping[str, Any]) -> None:
        command = words.get("command")
        if command == "status":
            stream.write(greeting.answer(greeting.WELCOME, status=self.status()))
        elif command in ("stop", "restart"):
            if self._open and command == "stop" and not words.get("force"):
                stream.write(greeting.answer(greeting.REFUSED, reason=f"{len(self._open)} editors are using it"))
                return
            stream.write(greeting.answer(greeting.WELCOME))
            await stream.drain()
            self.leave(str(command))
        else:
            stream.write(greeting.answer(greeting.REFUSED, reason="an unknown command"))

    def status(self) -> dict[str, Any]:
        """Give what `fimble daemon status` shows."""
        now_s = time.monotonic()
        return {
            "version": __version__,
            "pid": os.getpid(),
            "uptime_s": round(now_s - self._started_at_s, 1),
            "idle_s": 0.0 if self._open else round(now_s - self._idle_since_s, 1),
            "idle_exit_s": self._idle_exit_s,
            "sessions": [
                {"session": number, "open_s": round(now_s - one.opened_at_s, 1), **one.session.describe()}
                for number, one in self._open.items()
            ],
            **self._describe(),
        }
