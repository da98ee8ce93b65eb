"""A language client without an editor: a server as a child process, spoken to in JSON-RPC. Knows no feature of it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from fimble.errors import FimbleError

N_STDERR_LINES_KEPT = 20
EXIT_LIMIT_S = 5.0
MESSAGE_BYTES_MAX = 64 * 1024 * 1024


class ServerGoneError(FimbleError):
    """The child process ended or stopped speaking the protocol."""


class RequestError(FimbleError):
    """The server answered a request with an error."""

    def __init__(self, method: str, code: int, text: str) -> None:
        super().__init__(f"the server refused `{method}`: {text} ({code})")
        self.code = code


def serve_command(*arguments: str) -> list[str]:
    """Give the command that runs this installation's server, in one process that ends with the client."""
    # What a demonstration accepts says nothing of its user.
    return [sys.executable, "-m", "fimble", "serve", "--no-share", "--set", "statistics=false", *arguments]


class StdioClient:
    """One child process and the requests under way.

    Use as `async with StdioClient(command)`: leaving it shuts the server down, or ends the process if it does
    not go. `on_notification(method, params)` is called on the loop for each notification.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        on_notification: Callable[[str, Any], None] = lambda _method, _params: None,
    ) -> None:
        self._command = list(command)
        self._environment = dict(environment) if environment is not None else None
        self._on_notification = on_notification
        self._ids = itertools.count(1)
        self._waiting: dict[int, tuple[str, asyncio.Future[Any]]] = {}
        self._stderr: deque[str] = deque(maxlen=N_STDERR_LINES_KEPT)
        self._tasks: list[asyncio.Task[None]] = []
        self._initialized = False
        self._gone = False

    async def __aenter__(self) -> Self:
        """Start the server. Errors: ServerGoneError if it cannot be started."""
        pipe = asyncio.subprocess.PIPE
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=pipe, stdout=pipe, stderr=pipe, env=self._environment, limit=MESSAGE_BYTES_MAX
            )
        except OSError as error:
            raise ServerGoneError(f"cannot start `{self._command[0]}`: {error.strerror}") from error
        self._tasks = [asyncio.create_task(self._read_messages()), asyncio.create_task(self._read_stderr())]
        return self

    async def __aexit__(self, *_exception: object) -> None:
        with contextlib.suppress(FimbleError, TimeoutError, ConnectionError):
            if self._initialized:
                async with asyncio.timeout(EXIT_LIMIT_S):
                    await self.request("shutdown", None)
            self.notify("exit", None)
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(EXIT_LIMIT_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stderr_tail(self) -> str:
        """The last lines the server wrote for people."""
        return "\n".join(self._stderr)

    async def initialize(self, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Give the server's answer to `initialize`, having declared inline completion and progress.

        Errors: ServerGoneError; RequestError.
        """
        capabilities = {
            "general": {"positionEncodings": ["utf-16"]},
            "textDocument": {"inlineCompletion": {}, "synchronization": {}},
            "window": {"workDoneProgress": True},
        }
        answer = await self.request(
            "initialize",
            {
                "processId": None,
                "rootUri": None,
                "clientInfo": {"name": "fimble-cli"},
                "capabilities": capabilities,
                "initializationOptions": dict(options or {}),
            },
        )
        self._initialized = True
        self.notify("initialized", {})
        return dict(answer)

    def start_request(self, method: str, params: Any) -> tuple[int, asyncio.Future[Any]]:
        """Send a request; gives its id, for `cancel`, and the answer to come."""
        request_id = next(self._ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = (method, future)
        self._send({"id": request_id, "method": method, "params": params})
        return request_id, future

    async def request(self, method: str, params: Any) -> Any:
        """Give the answer to one request. Errors: ServerGoneError; RequestError."""
        return await self.start_request(method, params)[1]

    def cancel(self, request_id: int) -> None:
        """Tell the server that an answer is not wanted any more; the answer still settles."""
        if request_id in self._waiting:
            self.notify("$/cancelRequest", {"id": request_id})

    def notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        if message.get("params", ...) is None:
            del message["params"]
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stdin = self._process.stdin
        if self._gone or stdin is None or stdin.is_closing():
            self._fail_waiting()
            return
        stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def _read_messages(self) -> None:
        assert self._process.stdout is not None
        try:
            while True:
                header = await self._process.stdout.readuntil(b"\r\n\r\n")
                n_body_bytes = next(
                    int(line.split(b":")[1])
                    for line in header.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                self._handle(json.loads(await self._process.stdout.readexactly(n_body_bytes)))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError, StopIteration):
            self._fail_waiting()

    def _handle(self, message: dict[str, Any]) -> None:
        if "method" in message:
            if "id" in message:  # a request of the server: progress tokens, configuration
                items = (message.get("params") or {}).get("items", [])
                result = [None] * len(items) if message["method"] == "workspace/configuration" else None
                self._send({"id": message["id"], "result": result})
            else:
                self._on_notification(message["method"], message.get("params"))
            return
        waiting = self._waiting.pop(message.get("id", 0), None)
        if waiting is None or waiting[1].done():
            return
        method, future = waiting
        if "error" in message:
            error = message["error"]
            future.set_exception(RequestError(method, error.get("code", 0), error.get("message", "")))
        else:
            future.set_result(message.get("result"))

    async def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        while line := await self._process.stderr.readline():
            self._stderr.append(line.decode(errors="replace").rstrip())

    def _fail_waiting(self) -> None:
        self._gone = True
        for _method, future in self._waiting.values():
            if not future.done():
                future.set_exception(ServerGoneError("the server ended", self.stderr_tail or None))
        self._waiting.clear()
