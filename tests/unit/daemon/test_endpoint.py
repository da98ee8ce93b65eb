"""Who is let in: over a Unix socket whom the kernel vouches for, over loopback TCP whoever has the token."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fimble.daemon import broker, endpoint, greeting, peer, place
from fimble.daemon.broker import Broker
from fimble.daemon.endpoint import connect, listen
from fimble.daemon.place import Place, check_socket
from fimble.daemon.starter import Starter
from fimble.errors import UntrustedPlaceError


@pytest.fixture
def here(tmp_path_factory) -> Place:
    folder: Path = tmp_path_factory.mktemp("run")
    folder.chmod(0o700)
    return Place(folder, "d")


@pytest.fixture
async def over_tcp(here, monkeypatch) -> AsyncIterator[Place]:
    """Run a daemon as on Windows, where no kernel vouches for who connects."""
    for module in (broker, endpoint, place):
        monkeypatch.setattr(module, "WINDOWS", True)

    class Silent:
        def describe(self):
            return {}

        async def serve(self, stream):
            await stream.read()

    running = Broker(here, lambda _number, _words: Silent(), idle_exit_s=60)
    task = asyncio.ensure_future(running.run())
    while not here.port_path.exists():
        await asyncio.sleep(0.01)
    yield here
    running.leave("stop")
    await task


def test_other_end_of_another_user_is_refused(here, monkeypatch):
    listener = listen(here)
    monkeypatch.setattr(peer, "peer_uid", lambda _connection: os.getuid() + 1)
    with pytest.raises(UntrustedPlaceError, match="runs as user"):
        connect(here, 1000)
    listener.socket.close()


def test_kernel_says_who_is_at_the_other_end():
    one, two = socket.socketpair(socket.AF_UNIX)
    assert peer.peer_uid(one) == os.getuid()
    for end in (one, two):
        end.close()


def test_socket_of_another_user_is_refused(here, monkeypatch):
    listener = listen(here)
    assert check_socket(here.socket_path)
    found = here.socket_path.lstat()
    other = os.stat_result((*found[:4], found.st_uid + 1, *found[5:]))
    monkeypatch.setattr(Path, "lstat", lambda _path: other)
    with pytest.raises(UntrustedPlaceError, match="belongs to another user"):
        check_socket(here.socket_path)
    listener.socket.close()


def test_own_socket_is_made_for_the_user_alone(here):
    listener = listen(here)
    assert here.socket_path.stat().st_mode & 0o177 == 0
    listener.socket.close()


async def say(here: Place, **words) -> dict:
    """Connect to the port in the file and give the answer to a greeting."""
    port = json.loads(here.port_path.read_text())["port"]
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        first = greeting.hello(greeting.SESSION, **words)
        told, _splitter, _early = await asyncio.to_thread(greeting.exchange, connection, first)
    return dict(told)


async def test_token_is_in_a_file_for_the_user_alone_and_lets_in(over_tcp):
    assert over_tcp.port_path.stat().st_mode & 0o777 == 0o600
    told = json.loads(over_tcp.port_path.read_text())
    assert len(told["token"]) >= 32
    assert (await say(over_tcp, token=told["token"]))["fimble"] == greeting.WELCOME
    joined = await asyncio.to_thread(Starter(over_tcp).try_join, greeting.SESSION)
    assert joined is not None
    joined.connection.close()


@pytest.mark.parametrize("token", ["", "wrong", "ünïcode", "\ud800", None])
async def test_wrong_or_missing_token_is_refused(over_tcp, token):
    told = await say(over_tcp, token=token)
    assert told["fimble"] == greeting.REFUSED and "token" in told["reason"]
    assert (await say(over_tcp, token=json.loads(over_tcp.port_path.read_text())["token"]))["fimble"] == "welcome"


async def test_file_of_a_daemon_that_is_gone_means_that_none_runs(here, monkeypatch):
    monkeypatch.setattr(endpoint, "WINDOWS", True)
    assert connect(here, 1000) is None
    for text in ("", "{}", '{"port": "x", "token": "y"}', '{"port": 1, "token": "y"}'):
        here.port_path.write_text(text)
        assert connect(here, 1000) is None
