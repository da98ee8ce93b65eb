"""A language client that does nothing but measure: blocking, one thread, no protocol library in its way."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import fimble
from fimble.errors import EngineError, FimbleError

READ_BYTES = 1 << 16
SHUTDOWN_MS = 5_000
ASK_AGAIN_MS = 20


class MeasuredServer:
    """`fimble serve` as a child process over stdio, asked one thing at a time."""

    def __init__(
        self,
        options: Mapping[str, Any],
        environment: Mapping[str, str] | None = None,
        arguments: Sequence[str] = ("--no-share",),
        capabilities: Mapping[str, Any] | None = None,
    ) -> None:
        """Start the server and its session. `options` are initialization options, `arguments` those of `serve`.

        `capabilities` come on top of those for ghost text.

        Errors: EngineError if it does not answer.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fimble", "serve", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(environment or {}),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._out_fd = self._process.stdin, self._process.stdout.fileno()
        self._buffer = b""
        self._n_requests = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._n_notifications: Counter[str] = Counter()
        # Nobody's acceptance is counted here, and the model is not measured in the midst of another measurement.
        session = {"statistics": False, "calibrate": False, **options}
        declared: dict[str, Any] = {"textDocument": {"inlineCompletion": {}}, **(capabilities or {})}
        self.request(
            "initialize",
            {"processId": os.getpid(), "rootUri": None, "capabilities": declared, "initializationOptions": session},
        )
        self.notify("initialized", {})

    @property
    def pid(self) -> int:
        return self._process.pid

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        self._write({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: Mapping[str, Any], wait_ms: float = 120_000) -> Any:
        """Give the result. Errors: EngineError with the server's message, or after `wait_ms` without an answer."""
        return self.timed_request(method, params, wait_ms)[0]

    def timed_request(
        self, method: str, params: Mapping[str, Any], wait_ms: float = 120_000, before: bytes = b""
    ) -> tuple[Any, float]:
        """Give the result and the milliseconds from the first byte written to the last byte read.

        `before` is an encoded message to be written in the same breath (see `encode`).
        """
        started_at_s = time.perf_counter()
        wanted = self.begin(method, params, before)
        result = self.finish(wanted, wait_ms, method)
        return result, (time.perf_counter() - started_at_s) * 1000

    def begin(self, method: str, params: Mapping[str, Any], before: bytes = b"") -> int:
        """Send a request and go on; gives its number, for `finish`."""
        self._n_requests += 1
        content = before + encode({"jsonrpc": "2.0", "id": self._n_requests, "method": method, "params": params})
        self._send(content)
        return self._n_requests

    def finish(self, number: int, wait_ms: float = 120_000, method: str = "a request") -> Any:
        """Give the result of a request that was begun. Errors: as `request`."""
        until_s = time.perf_counter() + wait_ms / 1000
        while number not in self._answers:
            self._take(until_s)
        message = self._answers.pop(number)
        if "error" in message:
            raise EngineError(f"the server answered `{method}` with: {message['error'].get('message')}")
        return message.get("result")

    def is_answered(self, number: int) -> bool:
        """Say whether the answer to a request was read, while that to another one was waited for."""
        return number in self._answers

    def wait_notification(self, method: str, unless: int, wait_ms: float = 120_000) -> bool:
        """Wait for a notification from now on; gives False if request `unless` was answered before it came."""
        until_s, n_before = time.perf_counter() + wait_ms / 1000, self._n_notifications[method]
        while self._n_notifications[method] == n_before and unless not in self._answers:
            self._take(until_s)
        return unless not in self._answers

    def _take(self, until_s: float) -> None:
        """Read one message: keep an answer, count a notification, answer a request with nothing."""
        message = json.loads(self._read(until_s))
        if "method" not in message:
            if isinstance(message.get("id"), int):
                self._answers[message["id"]] = message
        elif "id" in message:
            self._write({"jsonrpc": "2.0", "id": message["id"], "result": None})
        else:
            self._n_notifications[str(message["method"])] += 1

    def wait_ready(self, wait_ms: float = 120_000) -> None:
        """Ask until the model is ready. Errors: FimbleError if it is missing, failed, or does not get ready."""
        give_up_at_s = time.monotonic() + wait_ms / 1000
        while time.monotonic() < give_up_at_s:
            status = self.request("fimble/status", {})
            state = status.get("state") if isinstance(status, dict) else None
            if state == "ready":
                return
            if state not in ("loading", "unloaded"):
                message = status.get("message") if isinstance(status, dict) else None
                raise FimbleError(f"the server cannot complete: {message or state}", "run `fimble doctor`")
            time.sleep(ASK_AGAIN_MS / 1000)
        raise FimbleError("the model did not get ready", "run `fimble doctor`")

    def explained_parts_ms(self) -> dict[str, float]:
        """Give how long each part of the last completion took, as the server says."""
        explained = self.request("workspace/executeCommand", {"command": "fimble.explain", "arguments": []})
        return dict(explained["trace"]["parts_ms"])

    def close(self) -> None:
        """End the session politely, then surely."""
        try:
            self.request("shutdown", {}, SHUTDOWN_MS)
            self.notify("exit", {})
            self._stdin.close()
            self._process.wait(SHUTDOWN_MS / 1000)
        except (EngineError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def __enter__(self) -> MeasuredServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _write(self, message: Mapping[str, Any]) -> None:
        self._send(encode(message))

    def _send(self, content: bytes) -> None:
        try:
            self._stdin.write(content)
            self._stdin.flush()
        except OSError as error:
            raise EngineError(f"the server is gone: {error}", "run `fimble doctor`") from error

    def _read(self, until_s: float) -> bytes:
        """Read one message's body; headers are as the base protocol has them."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._fill(until_s)
        headers = self._buffer[:end].lower().split(b"\r\n")
        n_bytes = next(int(line.split(b":")[1]) for line in headers if line.startswith(b"content-length"))
        start = end + 4
        while len(self._buffer) < start + n_bytes:
            self._fill(until_s)
        body, self._buffer = self._buffer[start : start + n_bytes], self._buffer[start + n_bytes :]
        return body

    def _fill(self, until_s: float) -> None:
        readable, _, _ = select.select([self._out_fd], [], [], max(0.0, until_s - time.perf_counter()))
        if not readable:
            raise EngineError("the server did not answer in time", "run `fimble doctor`")
        content = os.read(self._out_fd, READ_BYTES)
        if not content:
            raise EngineError("the server ended", "run `fimble serve` by hand to see why")
        self._buffer += content


def child_environment(more: Mapping[str, str]) -> dict[str, str]:
    """Give the environment in which the fimble that runs is the one that is measured, installed or not."""
    search = [str(Path(fimble.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, search)), **more}


def encode(message: Mapping[str, Any]) -> bytes:
    """Give one message with its header."""
    body = json.dumps(message, ensure_ascii=False).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def shown_items(result: Any) -> list[Any]:
    """Give the suggestions in an inline completion's result, which may be a list, an object or nothing."""
    return list(result.get("items", [])) if isinstance(result, dict) else list(result or [])
