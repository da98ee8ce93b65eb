"""The daemon's accept loop with peers that do not behave: each is let go, and the others notice nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from fimble.daemon import broker, endpoint, greeting
from fimble.daemon.broker import Broker
from fimble.daemon.framing import FrameSplitter, frame
from fimble.daemon.place import Place
from fimble.daemon.stream import UNSENT_BYTES_MAX

ANSWER_LIMIT_S = 20


class Talker:
    """A session that answers each message with as many bytes as it names, and fails on a word."""

    def describe(self):
        return {}

    async def serve(self, stream):
        while isinstance(body := await stream.read(), bytes):
            if body == b"fail":
                raise RuntimeError("a session's own defect")
            for _ in range(max(1, int(body) // 1_000_000)):
                stream.write(frame(bytes(min(int(body), 1_000_000))))


class Running(NamedTuple):
    broker: Broker
    socket_path: Path


class Peer:
    """One raw connection to the broker."""

    def __init__(self, reader, writer) -> None:
        self.reader, self.writer, self.splitter = reader, writer, FrameSplitter()

    def send(self, body: bytes) -> None:
        self.writer.write(frame(body))

    async def body(self) -> bytes:
        """Give the next message; empty at the end of the connection."""
        while True:
            data = await asyncio.wait_for(self.reader.read(65536), ANSWER_LIMIT_S)
            found = self.splitter.feed(data)
            if found or not data:
                return found[0] if found else b""


@pytest.fixture
async def running(tmp_path_factory, monkeypatch) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("run")
    folder.chmod(0o700)
    monkeypatch.setattr(broker, "GREETING_LIMIT_MS", 300)
    monkeypatch.setattr(broker, "CONNECTIONS_MAX", 4)
    made = Broker(Place(folder, "d"), lambda _number, _words: Talker(), idle_exit_s=60)
    task = asyncio.ensure_future(made.run())
    while not (folder / "d.sock").exists():
        await asyncio.sleep(0.01)
    yield Running(made, folder / "d.sock")
    made.leave("stop")
    await task


async def peer(running, *, greet=True) -> Peer:
    made = Peer(*await asyncio.open_unix_connection(running.socket_path))
    if greet:
        made.writer.write(greeting.hello(greeting.SESSION, ""))
        assert json.loads(await made.body())["fimble"] == greeting.WELCOME
    return made


async def alive(one: Peer) -> bool:
    one.send(b"5")
    return await one.body() == bytes(5)


async def test_peer_that_leaves_too_much_unread_is_let_go(running):
    deaf, other = await peer(running), await peer(running)
    deaf.send(b"%d" % (3 * UNSENT_BYTES_MAX))
    while len(running.broker.status()["sessions"]) == 2:
        assert await alive(other)
    assert await alive(other)


async def test_session_that_fails_ends_alone(running):
    failing, other = await peer(running), await peer(running)
    failing.send(b"fail")
    assert await failing.body() == b""
    assert await alive(other)


async def test_half_open_and_rude_connections_are_let_go(running):
    other = await peer(running)
    for said in (b"", b"GET / HTTP/1.1\r\n\r\n", frame(b"not json"), frame(b"[]"), frame(b"1" * 5000)):
        rude = await peer(running, greet=False)
        rude.writer.write(said)
        assert await rude.body() == b""
        rude.writer.close()
    assert await alive(other)


async def test_more_connections_than_may_be_are_refused(running):
    kept = [await peer(running) for _ in range(4)]
    late = await peer(running, greet=False)
    late.writer.write(greeting.hello(greeting.SESSION, ""))
    told = json.loads(await late.body())
    assert told["fimble"] == greeting.REFUSED and "4 editors" in told["reason"]
    assert all([await alive(one) for one in kept])
    kept[0].writer.close()
    while len(running.broker.status()["sessions"]) == 4:
        await asyncio.sleep(0.01)
    assert await alive(await peer(running))


@pytest.mark.parametrize("trouble", ["refused", "removed at once"])
async def test_socket_that_cannot_be_bound_again_is_bound_later(running, monkeypatch, trouble):
    one = await peer(running)
    monkeypatch.setattr(broker, "HOUSEKEEPING_MS", 20)
    n_tries = 0

    def listen(place):
        nonlocal n_tries
        n_tries += 1
        if n_tries > 2:
            return endpoint.listen(place)
        if trouble == "refused":
            raise PermissionError(13, "Permission denied")
        # Somebody removes the file between its making and the look at it.
        with monkeypatch.context() as away:
            away.setattr(Path, "stat", lambda path: path.unlink() or gone(path))
            return endpoint.listen(place)

    def gone(path):
        raise FileNotFoundError(2, "No such file or directory", str(path))

    monkeypatch.setattr(broker, "listen", listen)
    running.socket_path.unlink()
    while n_tries < 3 or not running.socket_path.exists():
        await asyncio.sleep(0.01)
    assert await alive(one), "the open session was disturbed"
    assert await alive(await peer(running))
