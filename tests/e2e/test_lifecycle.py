"""How a session starts and ends, whatever the engine is doing and whatever the client sends."""

import asyncio
import re
import sys

import pytest

FOREVER_MS = 120_000
"""Longer than any test may take: whatever waits for it fails."""
SOURCE = "def add(a, b):\n    return \n"


async def test_initialize_answers_before_the_model_is_loaded(wire, rpc, script):
    script("a + b", load_ms=FOREVER_MS)
    session = await wire()
    answer = await session.initialize()
    assert answer["result"]["serverInfo"]["name"] == "fimble"
    session.send(rpc.did_open(SOURCE), rpc.ghost(1, 1, 11))
    assert (await session.answer(1))["result"]["items"] == []
    session.send(rpc.request(2, "workspace/executeCommand", {"command": "fimble.explain"}))
    assert (await session.answer(2))["result"]["trace"]["reason"] == "model-loading"


@pytest.mark.parametrize(
    ("load_ms", "answer"),
    [
        (FOREVER_MS, {"text": "a + b"}),
        (0, {"text": "a + b", "prefill_ms": FOREVER_MS}),
        (0, {"text": "a + b", "token_ms": FOREVER_MS}),
    ],
    ids=["load", "prefill", "decode"],
)
async def test_shutdown_does_not_wait_for(wire, rpc, script, load_ms, answer):
    script(answer, load_ms=load_ms)
    session = await wire()
    await session.initialize(initializationOptions={"delay_ms": 0, "deadline_ms": 60_000})
    if not load_ms:
        await session.until_ready()
    session.send(rpc.did_open(SOURCE), rpc.ghost(1, 1, 11))
    for number in (11, 12, 13):
        session.send(rpc.request(number, "fimble/status", {}))
        await session.answer(number)
    session.send(rpc.request(2, "shutdown", None))
    assert (await session.answer(2))["result"] is None
    session.send(rpc.notification("exit", None))
    assert await session.ended() == 0


async def test_exit_without_shutdown_is_an_error(wire, rpc):
    session = await wire()
    await session.initialize()
    session.send(rpc.notification("exit", None))
    assert await session.ended() == 1


async def test_server_ends_when_its_input_does(wire, rpc, script):
    script({"text": "a + b", "token_ms": FOREVER_MS})
    session = await wire()
    await session.initialize(initializationOptions={"delay_ms": 0})
    await session.until_ready()
    session.send(rpc.did_open(SOURCE), rpc.ghost(1, 1, 11))
    session.process.stdin.close()
    assert await session.ended() == 0


async def test_server_ends_when_nobody_reads_its_output(wire, rpc):
    session = await wire()
    await session.initialize()
    session.process._transport.get_pipe_transport(1).close()
    session.send(rpc.request(1, "fimble/status", {}))
    assert await session.ended() == 0


MALFORMED = [
    (b"{not json", -32700),
    (b"\xff\xfe\x00", -32700),
    (b"[" * 100_000, -32700),
    (b"[1, 2]", -32600),
    (b'{"id": 5, "method": "fimble/status"}', -32600),
    (b'{"jsonrpc": "2.0", "id": 5, "method": "textDocument/inlineCompletion", "params": {"position": 3}}', -32602),
    (b'{"jsonrpc": "2.0", "id": 5, "method": "no/such/method", "params": {}}', -32601),
]


async def test_malformed_messages_are_refused_and_the_next_is_answered(wire, rpc):
    session = await wire()
    await session.initialize()
    await session.until_ready()
    for number, (body, code) in enumerate(MALFORMED, start=10):
        session.send(body, rpc.request(number, "fimble/status", {}))
        refusal = await session.read()
        while "error" not in refusal:
            refusal = await session.read()
        assert refusal["error"]["code"] == code, body[:80]
        assert (await session.answer(number))["result"]["state"] == "ready"


async def test_what_is_not_the_protocol_ends_with_a_message(wire):
    session = await wire()
    session.process.stdin.write(b"x" * 200_000)
    assert await session.ended() == 1
    assert b"does not speak the Language Server Protocol" in await session.process.stderr.read()


async def test_requests_before_initialize_are_refused(wire, rpc):
    session = await wire()
    session.send(rpc.did_open(SOURCE), rpc.ghost(1, 0, 0))
    # LSP 3.18: ServerNotInitialized.
    assert (await session.answer(1))["error"]["code"] == -32002
    await session.initialize()
    session.send(rpc.request(2, "initialize", {"processId": None, "rootUri": None, "capabilities": {}}))
    assert (await session.answer(2))["error"]["code"] == -32600


LOUD = """
import os, sys
import fimble.app
from fimble.cli.main import main

class Loud(fimble.app.Application):
    def start(self):
        print("noise", flush=True)
        os.write(1, b"more noise")
        super().start()

fimble.app.Application = Loud
sys.exit(main(sys.argv[1:]))
"""


async def test_output_is_nothing_but_the_protocol(wire):
    """A library that prints would break an editor."""
    session = await wire(argv=[sys.executable, "-c", LOUD, "serve", "--no-share", "--set", "engine=scripted"])
    await session.initialize()
    await session.until_ready()
    session.process.stdin.close()
    assert await session.process.stdout.read() == b""
    assert b"noisemore noise" in (await session.process.stderr.read()).replace(b"\n", b"")


async def test_editor_that_connects(wire, rpc, script):
    script("a + b")
    session = await wire("--tcp", "127.0.0.1:0")
    async with asyncio.timeout(20):
        while not (found := re.search(rb"listening on 127\.0\.0\.1:(\d+)", await session.process.stderr.readline())):
            assert session.process.returncode is None
    reader, writer = await asyncio.open_connection("127.0.0.1", int(found[1]))
    session.process.stdout, session.process.stdin = reader, writer
    second_reader, second_writer = await asyncio.open_connection("127.0.0.1", int(found[1]))
    assert await second_reader.read() == b"", "one editor per process"
    second_writer.close()
    await session.initialize(initializationOptions={"delay_ms": 0})
    await session.until_ready()
    session.send(rpc.did_open(SOURCE), rpc.ghost(1, 1, 11))
    assert [item["insertText"] for item in (await session.answer(1))["result"]["items"]] == ["a + b"]
    writer.close()
    assert await session.ended() == 0
