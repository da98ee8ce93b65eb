"""Real server processes with a scripted engine: `start` drives one as an editor does, `wire` as bytes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

SERVER_DIR = Path(__file__).resolve().parents[2] / "server"
LIMIT_S = 20
URI = "file:///project/sample.py"


def text_document_of(capabilities):
    if capabilities.text_document is None:
        capabilities.text_document = types.TextDocumentClientCapabilities()
    return capabilities.text_document


@pytest.fixture(params=["visual_studio_code", "neovim"])
def capabilities(request):
    """What the two clients declare, plus ghost text, which pytest-lsp's recordings are too old for."""
    capabilities = client_capabilities(request.param)
    text_document_of(capabilities).inline_completion = types.InlineCompletionClientCapabilities()
    return capabilities


@pytest.fixture
def environment(tmp_path):
    """The environment of a server that finds no one's settings and no one's models."""
    home = tmp_path / "home"
    (home / "fimble").mkdir(parents=True)
    ours = {
        "PYTHONPATH": str(SERVER_DIR),
        "XDG_CONFIG_HOME": str(home),
        "HOME": str(home),
        "APPDATA": str(home),
        "FIMBLE_DATA_DIR": str(tmp_path / "models"),
        "FIMBLE_SCRIPT": str(tmp_path / "script.json"),
        "FIMBLE_STATISTICS": str(tmp_path / "statistics.sqlite3"),
        "FIMBLE_CALIBRATION": str(tmp_path / "calibration.json"),
    }
    if os.environ.get("FIMBLE_E2E_SHARED") == "1":
        # A daemon must not outlive its test for long.
        (home / "fimble" / "config.toml").write_text("daemon_idle_exit_s = 1\n")
    return os.environ | ours


@pytest.fixture
def script(environment):
    """Write what the engine will answer."""

    def write(*answers, load_ms=0):
        answers = [{"text": a} if isinstance(a, str) else a for a in answers]
        Path(environment["FIMBLE_SCRIPT"]).write_text(json.dumps({"load_ms": load_ms, "answers": answers}))

    write()
    return write


def command(*arguments):
    """Give the server's command; `FIMBLE_E2E_SHARED=1` puts shim and daemon between, which must change nothing."""
    sharing = [] if os.environ.get("FIMBLE_E2E_SHARED") == "1" else ["--no-share"]
    return [sys.executable, "-m", "fimble", "serve", *sharing, "--set", "engine=scripted", *arguments]


class Editor:
    """An editor as a test sees it."""

    def __init__(self, client: LanguageClient) -> None:
        self.client = client
        self.statuses: list[dict] = []
        self.registered: list[types.Registration] = []
        client.feature("client/registerCapability")(lambda params: self.registered.extend(params.registrations))
        client.feature("fimble/statusChanged")(lambda params: self.statuses.append(plain(params)))

    async def until(self, condition):
        """Wait until `condition()` holds; gives its value."""
        async with asyncio.timeout(LIMIT_S):
            while not (value := condition()):
                await asyncio.sleep(0.005)
            return value

    async def status(self):
        return plain(await self.client.protocol.send_request_async("fimble/status", {}))

    async def until_status(self, key, value):
        """Ask for the status until it says so."""
        async with asyncio.timeout(LIMIT_S):
            while (await self.status())[key] != value:
                await asyncio.sleep(0.005)
        return self

    async def until_ready(self):
        return await self.until_status("state", "ready")

    def open(self, text, uri=URI, language="python", version=1):
        item = types.TextDocumentItem(uri=uri, language_id=language, version=version, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    def change(self, version, text, start=None, end=None, uri=URI):
        if start is None:
            change = types.TextDocumentContentChangeWholeDocument(text=text)
        else:
            place = types.Range(start=types.Position(*start), end=types.Position(*(end or start)))
            change = types.TextDocumentContentChangePartial(range=place, text=text)
        document = types.VersionedTextDocumentIdentifier(uri=uri, version=version)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    async def ghost(self, line, character, *, uri=URI, invoked=False, selected=None):
        """Ask for ghost text; gives the items."""
        kind = types.InlineCompletionTriggerKind
        params = types.InlineCompletionParams(
            text_document=types.TextDocumentIdentifier(uri=uri),
            position=types.Position(line, character),
            context=types.InlineCompletionContext(
                trigger_kind=kind.Invoked if invoked else kind.Automatic, selected_completion_info=selected
            ),
        )
        answer = await asyncio.wait_for(self.client.text_document_inline_completion_async(params), LIMIT_S)
        return list(answer.items)

    async def execute(self, name, *arguments):
        params = types.ExecuteCommandParams(command=name, arguments=list(arguments))
        return plain(await self.client.workspace_execute_command_async(params))

    async def reason(self, uri=None):
        """Give why the last request showed nothing."""
        explained = await self.execute("fimble.explain", *([uri] if uri else []))
        return explained["trace"]["reason"]


def plain(value):
    """Give dicts for the named tuples that pygls makes of untyped objects."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


@pytest_asyncio.fixture
async def start(environment, script, capabilities):
    """Start a server and initialize it; `options` are initialization options."""
    clients = []

    async def begin(*arguments, options=None, declared=None, configuration=None, argv=None):
        client = make_test_lsp_client()
        for key, value in (configuration or {}).items():
            client.set_configuration(value, section=key)
        editor = Editor(client)
        await client.start_io(*(argv or command(*arguments)), env=environment)
        clients.append(client)
        params = types.InitializeParams(
            capabilities=declared or capabilities,
            initialization_options={"delay_ms": 0} if options is None else options,
        )
        editor.initialized = await asyncio.wait_for(client.initialize_session(params), LIMIT_S)
        return editor

    yield begin
    for client in clients:
        process = client._server
        if process.returncode is None:
            await asyncio.wait_for(client.shutdown_session(), LIMIT_S)
        await client.stop()


class Wire:
    """A server as a pair of pipes."""

    def __init__(self, process) -> None:
        self.process = process
        self.notifications: list[dict] = []

    @staticmethod
    def frame(message) -> bytes:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)

    def send(self, *messages) -> None:
        """Send messages in one write, so that the server finds them in one read."""
        self.process.stdin.write(b"".join(self.frame(m) for m in messages))

    async def read(self):
        async with asyncio.timeout(LIMIT_S):
            n_bytes = 0
            while (line := await self.process.stdout.readline()).strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    n_bytes = int(value)
            if not n_bytes:
                raise EOFError("the server has closed its output")
            return json.loads(await self.process.stdout.readexactly(n_bytes))

    async def answer(self, request_id):
        """Give the response to `request_id`; what comes before goes to `notifications`."""
        while True:
            message = await self.read()
            if "method" not in message and message.get("id") == request_id:
                return message
            self.notifications.append(message)

    async def initialize(self, **options):
        self.send(request(0, "initialize", {"processId": None, "rootUri": None, "capabilities": {}} | options))
        answer = await self.answer(0)
        self.send(notification("initialized", {}))
        return answer

    async def until_ready(self):
        number = 1000
        while True:
            number += 1
            self.send(request(number, "fimble/status", {}))
            if (await self.answer(number))["result"]["state"] == "ready":
                return
            await asyncio.sleep(0.005)

    async def ended(self, limit_s=LIMIT_S):
        """Wait for the process' end; gives the exit code."""
        return await asyncio.wait_for(self.process.wait(), limit_s)


def request(request_id, method, params):
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def notification(method, params):
    return {"jsonrpc": "2.0", "method": method, "params": params}


@pytest.fixture
def rpc():
    """Make messages: `rpc.request(id, method, params)`, `rpc.notification(method, params)`, and common ones."""

    class Messages:
        request = staticmethod(request)
        notification = staticmethod(notification)

        @staticmethod
        def did_open(text, uri=URI, version=1, language="python"):
            item = {"uri": uri, "languageId": language, "version": version, "text": text}
            return notification("textDocument/didOpen", {"textDocument": item})

        @staticmethod
        def did_insert(version, line, character, text, uri=URI):
            place = {"line": line, "character": character}
            change = {"range": {"start": place, "end": place}, "text": text}
            identifier = {"uri": uri, "version": version}
            return notification("textDocument/didChange", {"textDocument": identifier, "contentChanges": [change]})

        @staticmethod
        def ghost(request_id, line, character, uri=URI, kind=2, **extra):
            params = {
                "textDocument": {"uri": uri},
                "position": {"line": line, "character": character},
                "context": {"triggerKind": kind},
            }
            return request(request_id, "textDocument/inlineCompletion", params | extra)

    return Messages


@pytest_asyncio.fixture
async def wire(environment, script):
    """Start a server process without a word being said; ended by force if a test leaves it running."""
    processes = []

    async def begin(*arguments, argv=None):
        process = await asyncio.create_subprocess_exec(
            *(argv or command(*arguments)),
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=2**26,
        )
        processes.append(process)
        return Wire(process)

    yield begin
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.wait()
        process.stdin.close()
