"""The commands' own language client, against a small server process."""

from __future__ import annotations

import asyncio
import sys

import psutil
import pytest

from fimble.cli.server_session import wait_until_ready
from fimble.cli.stdio_client import RequestError, ServerGoneError, StdioClient
from fimble.errors import EngineError, FimbleError


async def test_requests_are_answered_and_the_server_ends(fake_command):
    async with StdioClient(fake_command()) as client:
        assert await client.initialize() == {"capabilities": {}}
        assert await wait_until_ready(client) >= 0
        pid = client.pid
    assert not psutil.pid_exists(pid)


async def test_error_of_the_server_names_the_method(fake_command):
    async with StdioClient(fake_command()) as client:
        with pytest.raises(RequestError, match="refused `x/y`: no such method") as caught:
            await client.request("x/y", {})
    assert caught.value.code == -32601


async def test_server_that_dies_fails_what_waits_and_what_comes(fake_command):
    async with StdioClient(fake_command("--die-on", "textDocument/didOpen")) as client:
        await client.initialize()
        client.notify("textDocument/didOpen", {})
        _, waiting = client.start_request("fimble/status", {})
        with pytest.raises(ServerGoneError, match="the server ended") as caught:
            await waiting
        assert "told to end" in (caught.value.hint or "")
        with pytest.raises(ServerGoneError):
            await client.request("fimble/status", {})


async def test_program_that_speaks_no_protocol_is_noticed():
    async with StdioClient([sys.executable, "-c", "print('hello')"]) as client:
        with pytest.raises(ServerGoneError):
            await client.initialize()


async def test_program_that_is_not_there_is_named():
    with pytest.raises(ServerGoneError, match="cannot start `/nowhere/fimble`"):
        async with StdioClient(["/nowhere/fimble"]):
            pass


async def test_server_that_ignores_exit_is_ended(monkeypatch):
    monkeypatch.setattr("fimble.cli.stdio_client.EXIT_LIMIT_S", 0.2)
    client = StdioClient([sys.executable, "-c", "import time; time.sleep(600)"])
    async with client:
        pid = client.pid
    assert not psutil.pid_exists(pid)


async def test_model_that_cannot_load_gives_the_servers_hint():
    class Server:
        async def request(self, method, params):
            await asyncio.sleep(0)
            return {"state": "missing", "message": "model `m` is not installed", "hint": "run `fimble models pull m`"}

    with pytest.raises(EngineError, match="model `m` is not installed") as caught:
        await wait_until_ready(Server())
    assert isinstance(caught.value, FimbleError)
    assert caught.value.hint == "run `fimble models pull m`"
