"""A session without a process: messages in and out of a server whose application is a stand-in."""

from __future__ import annotations

import asyncio
import json

import pytest

from fimble.completion.request import CompletionResult
from fimble.engine.contract import EngineState
from fimble.lsp.server import create_server
from fimble.lsp.stream import HEADER_BYTES_MAX
from fimble.records import Completion, Decline, DeclineReason, RequestTrace
from fimble.statistics.tally import NoTally

LIMIT_S = 20
URI = "file:///a.py"


class FakeEngine:
    def __init__(self):
        self.state, self.error, self.listeners = EngineState.UNLOADED, None, []

    def on_state_change(self, listener):
        self.listeners.append(listener)

    def become(self, state, error=None):
        self.state, self.error = state, error
        for listener in self.listeners:
            listener()


class FakeCompleter:
    """Answers with `text` at the cursor; `gate` holds answers back, `error` is raised."""

    def __init__(self):
        self.requests, self.tokens, self.forgotten, self.taken = [], [], [], []
        self.text, self.error, self.gate = "answer", None, None

    async def complete(self, request, token, newest):
        self.requests.append(request)
        self.tokens.append(token)
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        trace = RequestTrace(len(self.requests), request.document.uri, "", request.trigger, "shown")
        if self.text is None:
            return CompletionResult(request.document, (), Decline(DeclineReason.EMPTY_ANSWER), trace)
        completion = Completion("c1", self.text, request.offset, request.offset)
        return CompletionResult(newest() or request.document, (completion,), None, trace)

    def explain(self, uri=None):
        return None

    def accepted(self, completion_id):
        self.taken.append(completion_id)

    def closed(self, uri):
        self.forgotten.append(uri)


class FakeApp:
    def __init__(self, settings):
        self.settings, self.engine, self.completion = settings, FakeEngine(), FakeCompleter()
        self.tally = NoTally()
        self.n_starts, self.is_closed, self.close_gate = 0, False, None

    def start(self):
        self.n_starts += 1
        self.engine.become(EngineState.LOADING)

    def apply(self, settings):
        is_renewed = settings.model != self.settings.model
        self.settings = settings
        if is_renewed:
            self.engine = FakeEngine()
        return is_renewed

    def close(self):
        if self.close_gate is not None:
            self.close_gate.wait()
        self.is_closed = True


class Session:
    """The editor's side of one served session."""

    def __init__(self):
        self.server = create_server(FakeApp)
        self.reader = asyncio.StreamReader(limit=HEADER_BYTES_MAX)
        self.sent = asyncio.Queue()
        self.notifications = []
        self.running = asyncio.ensure_future(self.server.serve(self.reader, self))

    @property
    def app(self):
        return self.server.app

    def write(self, data):
        self.sent.put_nowait(json.loads(data.split(b"\r\n\r\n", 1)[1]))

    def close(self):
        """Nothing to close."""

    def send(self, *messages):
        for message in messages:
            body = json.dumps({"jsonrpc": "2.0"} | message).encode()
            self.reader.feed_data(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    async def answer(self, request_id):
        while True:
            message = await asyncio.wait_for(self.sent.get(), LIMIT_S)
            if "method" not in message and message["id"] == request_id:
                return message
            self.notifications.append(message)

    async def ask(self, request_id, method, params):
        self.send({"id": request_id, "method": method, "params": params})
        return await self.answer(request_id)

    async def initialize(self, capabilities=None, **options):
        params = {"processId": None, "rootUri": None, "capabilities": capabilities or {}}
        await self.ask(0, "initialize", params | {"initializationOptions": options})
        self.notify("initialized", {})
        await self.ask(1, "fimble/status", {})
        return self

    def open(self, text, uri=URI):
        self.notify(
            "textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": text}}
        )

    @staticmethod
    def ghost(request_id, line=0, character=0, **extra):
        params = {
            "textDocument": {"uri": URI},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": 2},
        }
        return {"id": request_id, "method": "textDocument/inlineCompletion", "params": params | extra}


@pytest.fixture
async def session(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    session = Session()
    yield session
    session.reader.feed_eof()
    await asyncio.wait_for(session.running, LIMIT_S)
