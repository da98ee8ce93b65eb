"""What is left of a session once its editor is gone: nothing, in a process that lives on."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import weakref

import pytest

from fimble.app import Application
from fimble.daemon.framing import frame
from fimble.daemon.pool import EnginePool
from fimble.daemon.session import LspSession
from fimble.daemon.stream import Stream
from fimble.engine.scripted import ScriptedBackend
from fimble.engine.worker import EngineWorker
from fimble.lsp.server import create_server

OPENING = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": "x = 1\n"}
ASKED = {
    "textDocument": {"uri": "file:///a.py"},
    "position": {"line": 0, "character": 5},
    "context": {"triggerKind": 1},
}
POLITE = ({"id": 3, "method": "shutdown"}, {"method": "exit"})


@pytest.fixture
async def pool():
    made = EnginePool(lambda _s: EngineWorker(ScriptedBackend), lambda s: (s.model,), lambda _s: 0, 1)
    yield made
    made.close()


async def one_session(pool, *last_words) -> list[weakref.ref]:
    """Have one editor's session from end to end; gives what must not outlive it."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=theirs)
    server = create_server(lambda s: Application(s, make_engine=lambda s: pool.open(s, 1)), {"delay_ms": 0})
    serving = asyncio.ensure_future(LspSession(server).serve(Stream(reader, writer)))
    mine, out = await asyncio.open_connection(sock=ours)

    def send(message) -> None:
        out.write(frame(json.dumps({"jsonrpc": "2.0", **message}).encode()))

    send({"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}})
    send({"method": "initialized", "params": {}})
    send({"method": "textDocument/didOpen", "params": {"textDocument": OPENING}})
    send({"id": 2, "method": "textDocument/inlineCompletion", "params": ASKED})
    said = b""
    while b'"id": 2' not in said:
        said += await asyncio.wait_for(mine.read(65536), 20)
    for message in last_words:
        send(message)
    if not last_words:
        out.close()
    await asyncio.wait_for(serving, 20)
    for one in (out, writer):
        one.close()
    return [weakref.ref(one) for one in (server, server.documents, server.app, server.app.engine)]


@pytest.mark.parametrize("last_words", [POLITE, ()], ids=["polite", "gone"])
async def test_session_that_ended_leaves_nothing_in_memory(pool, last_words) -> None:
    left = await one_session(pool, *last_words)
    for _ in range(50):
        gc.collect()
        if not any(one() for one in left):
            return
        await asyncio.sleep(0.02)  # the pool takes a session's view of the model back in a later turn of the loop
    pytest.fail(f"still there: {[type(one()).__name__ for one in left if one() is not None]}")
