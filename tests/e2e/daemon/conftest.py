"""Editors as plain JSON-RPC over a child process, and a runtime directory that no other test shares."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

SERVER = Path(__file__).parents[3] / "server"
ANSWER_LIMIT_S = 20.0
URI = "file:///project/sample.py"


class Editor:
    """One child process that speaks LSP on its stdio, and what it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.opened: Any = None
        self.notifications: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self._answers: dict[Any, asyncio.Future[dict[str, Any]]] = {}
        self._ids = itertools.count(1)
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        stdout = self.process.stdout
        assert stdout is not None
        n_bytes = 0
        while line := await stdout.readline():
            if line.startswith(b"Content-Length:"):
                n_bytes = int(line.split(b":")[1])
            if line.strip():
                continue
            message = json.loads(await stdout.readexactly(n_bytes))
            if "method" not in message:
                future = self._answers.pop(message["id"], None)
                assert future is not None, f"an answer to a question nobody asked: {message}"
                future.set_result(message)
            else:
                (self.requests if "id" in message else self.notifications).append(message)
            async with self._news:
                self._news.notify_all()

    def send_raw(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.send_raw(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"method": method, "params": params})

    def ask(self, method: str, params: Any = None) -> asyncio.Future[dict[str, Any]]:
        """Send a request; the future gives the whole answer message."""
        request_id = next(self._ids)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[request_id] = future
        self.send({"id": request_id, "method": method, "params": params})
        return future

    async def result(self, method: str, params: Any = None) -> Any:
        answer = await asyncio.wait_for(self.ask(method, params), ANSWER_LIMIT_S)
        assert "result" in answer, answer
        return answer["result"]

    async def initialize(self, **options: Any) -> Any:
        params = {"processId": None, "rootUri": None, "capabilities": {}, **options}
        result = await self.result("initialize", params)
        self.notify("initialized", {})
        return result

    async def until_notified(self, method: str, limit_s: float = ANSWER_LIMIT_S) -> dict[str, Any]:
        async def wait() -> dict[str, Any]:
            async with self._news:
                while True:
                    for message in self.notifications:
                        if message["method"] == method:
                            return message
                    await self._news.wait()

        return await asyncio.wait_for(wait(), limit_s)

    def open(self, text: str, uri: str = URI) -> None:
        item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def type(self, version: int, line: int, character: int, text: str, uri: str = URI) -> None:
        place = {"line": line, "character": character}
        changes = [{"range": {"start": place, "end": place}, "text": text}]
        self.notify(
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes},
        )

    def ask_ghost(self, line: int, character: int, uri: str = URI) -> asyncio.Future[dict[str, Any]]:
        place = {"line": line, "character": character}
        params = {"textDocument": {"uri": uri}, "position": place, "context": {"triggerKind": 2}}
        return self.ask("textDocument/inlineCompletion", params)

    async def ghost(self, line: int, character: int, uri: str = URI) -> str | None:
        """Give the ghost text at a place, None if there is none."""
        answer = await asyncio.wait_for(self.ask_ghost(line, character, uri), ANSWER_LIMIT_S)
        items = (answer.get("result") or {}).get("items") or []
        return items[0]["insertText"] if items else None

    async def leave(self) -> int:
        """Shut down as an editor does; gives the exit code."""
        await self.result("shutdown")
        self.notify("exit")
        return await asyncio.wait_for(self.process.wait(), ANSWER_LIMIT_S)

    async def stop(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        await asyncio.gather(self._reading, return_exceptions=True)


class Home:
    """One user's runtime directory, the editors started in it, and its daemon."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory = directory
        self.environment = environment
        self.editors: list[Editor] = []

    async def editor(self, *command: str) -> Editor:
        """Start `command` (by default the shim with the stand-in daemon)."""
        command = command or (sys.executable, str(Path(__file__).with_name("stand_in_shim.py")))
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment,
            limit=64 * 1024 * 1024,
        )
        editor = Editor(process)
        self.editors.append(editor)
        return editor

    async def real(self, *arguments: str, **options: Any) -> Editor:
        """Start `fimble serve` with the scripted engine, as an editor does, and open a session."""
        serve = (sys.executable, "-m", "fimble", "serve", "--set", "engine=scripted", *arguments)
        editor = await self.editor(*serve)
        capabilities = {"textDocument": {"inlineCompletion": {}}}
        editor.opened = await editor.initialize(
            capabilities=capabilities, initializationOptions={"delay_ms": 0, **options}, clientInfo={"name": "test"}
        )
        while (await editor.result("fimble/status"))["state"] not in ("ready", "off"):
            await asyncio.sleep(0.02)
        return editor

    def script(self, *answers: dict[str, Any]) -> None:
        """Say what the engine answers."""
        path = self.directory / "script.json"
        path.write_text(json.dumps({"answers": answers}))
        self.environment["FIMBLE_SCRIPT"] = str(path)

    async def command(self, *arguments: str) -> tuple[int, str, str]:
        """Run one `fimble` command; gives exit code, stdout and stderr."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "fimble",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def status(self) -> dict[str, Any]:
        _code, out, _err = await self.command("daemon", "status", "--json")
        state: dict[str, Any] = json.loads(out)
        return state

    async def until_listening(self) -> None:
        """Wait for the socket of a daemon that is starting."""
        for _ in range(1000):
            if (self.directory / "daemon.sock").exists():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("no daemon bound its socket")

    async def until_gone(self, pid: int | None = None) -> None:
        """Wait for the end of one daemon, or of every one: one that has released its lock takes a moment to exit."""
        for _ in range(500):
            pids = self.daemon_pids
            if not pids or (pid is not None and pid not in pids):
                return
            await asyncio.sleep(0.02)
        raise AssertionError("a daemon is still running")

    @property
    def daemon_pids(self) -> list[int]:
        """Process ids of the live daemons of this directory (there should be one at most)."""
        found = []
        for process in psutil.process_iter():
            try:
                line = " ".join(process.cmdline())
                mine = process.environ().get("FIMBLE_RUNTIME_DIR") == str(self.directory)
            except (psutil.Error, OSError):
                continue
            if (
                mine
                and process.status() != psutil.STATUS_ZOMBIE
                and ("stand_in_daemon" in line or "daemon run" in line)
            ):
                found.append(process.pid)
        return found


@pytest.fixture
def home_directory() -> Iterator[Path]:
    # Not pytest's tmp_path: its depth may not fit a socket's path.
    with tempfile.TemporaryDirectory(prefix="fimble-") as directory:
        Path(directory).chmod(0o700)
        yield Path(directory)


@pytest.fixture
async def home(home_directory: Path) -> AsyncIterator[Home]:
    paths = [str(SERVER), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "FIMBLE_RUNTIME_DIR": str(home_directory),
        "HOME": str(home_directory),
        "XDG_CONFIG_HOME": str(home_directory / "config"),
    }
    home = Home(home_directory, environment)
    yield home
    for editor in home.editors:
        await editor.stop()
    for pid in home.daemon_pids:
        psutil.Process(pid).kill()
