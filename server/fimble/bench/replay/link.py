"""A child process and messages to and from it, framed as the base protocol of LSP frames them. Knows no message."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from fimble.bench.wire import child_environment, encode
from fimble.errors import EngineError

EXIT_LIMIT_S = 10.0


class Link:
    """One child; `on_message` is called on a thread of its own, `on_end` when the child has left."""

    def __init__(
        self,
        module_arguments: Sequence[str],
        on_message: Callable[[dict[str, Any]], None],
        on_end: Callable[[], None],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start `python -m …`. Errors: EngineError if it cannot be started."""
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *module_arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=child_environment(environment or {}),
            )
        except OSError as error:
            raise EngineError(f"cannot start a side: {error.strerror}") from error
        self._on_message, self._on_end = on_message, on_end
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, name="replay-reader", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one message. Errors: EngineError if the child is gone."""
        assert self._process.stdin is not None
        try:
            with self._lock:
                self._process.stdin.write(encode(message))
                self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise EngineError(f"a side is gone: {error}") from error

    def close(self) -> None:
        """Close the child's input, wait for it to leave, and end it if it does not."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            self._process.wait(EXIT_LIMIT_S)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
        self._process.wait()
        self._thread.join(EXIT_LIMIT_S)

    def _read(self) -> None:
        assert self._process.stdout is not None
        while (message := read_message(self._process.stdout)) is not None:
            self._on_message(message)
        self._on_end()


def read_message(stream: IO[bytes]) -> dict[str, Any] | None:
    """Read one message; None at the end of the stream."""
    n_bytes = 0
    while line := stream.readline():
        if line in (b"\r\n", b"\n"):
            body = stream.read(n_bytes)
            return dict(json.loads(body)) if len(body) == n_bytes else None
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            n_bytes = int(value)
    return None
