"""One command's short session with the daemon that runs already. Starts none, and knows no method's meaning."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import time
from typing import Any, Self

from fimble.daemon import greeting
from fimble.daemon.framing import BODY_BYTES_MAX, FrameError, frame
from fimble.daemon.place import find_place
from fimble.daemon.starter import Joined, Starter
from fimble.errors import DaemonError, EngineError
from fimble.settings import Settings

RECEIVE_BYTES = 64 * 1024
READY_LIMIT_MS = 120_000
ANSWER_LIMIT_MS = 30_000
POLL_MS = 20
SETTLED_STATES = ("ready", "off")
WAITING_STATES = ("loading", "unloaded")


class Visit:
    """A session that asks one thing at a time and blocks until it is answered.

    Positions are in code points (UTF-32), as a command line counts them. Use as a context manager: leaving it
    closes the connection, which stops what still runs for it.
    """

    def __init__(self, joined: Joined) -> None:
        self._connection = joined.connection
        self._splitter = joined.splitter
        self._ready = list(joined.early)
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._connection.close()

    def begin(self, locale: str = "") -> None:
        """Open the session and wait for its model.

        Errors: EngineError with the daemon's reason if there is no model to be had; DaemonError.
        """
        params = {
            "processId": os.getpid(),
            "rootUri": None,
            "locale": locale,
            "clientInfo": {"name": "fimble-cli"},
            "capabilities": {"general": {"positionEncodings": ["utf-32"]}},
        }
        told = self.request("initialize", params)
        if told["capabilities"].get("positionEncoding") != "utf-32":
            raise DaemonError("the daemon does not count in code points")
        self.notify("initialized", {})
        give_up_at_s = time.monotonic() + READY_LIMIT_MS / 1000
        while time.monotonic() < give_up_at_s:
            status = self.request("fimble/status", {})
            if status["state"] in SETTLED_STATES:
                return
            if status["state"] not in WAITING_STATES:
                raise EngineError(status["message"], status["hint"])
            time.sleep(POLL_MS / 1000)
        raise DaemonError("the daemon's model did not get ready", "`fimble daemon logs` may show why")

    def open(self, uri: str, language: str, text: str) -> None:
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def request(self, method: str, params: Any, limit_ms: int = ANSWER_LIMIT_MS) -> Any:
        """Give the result. Errors: DaemonError if none comes in time, or an error does."""
        wanted = next(self._ids)
        self._send({"id": wanted, "method": method, "params": params})
        give_up_at_s = time.monotonic() + limit_ms / 1000
        while True:
            message = self._receive(give_up_at_s)
            if message.get("method") == greeting.GOODBYE:
                raise DaemonError("the daemon is leaving")
            if "method" in message:
                if "id" in message:  # nothing was declared that it could ask for
                    self._send({"id": message["id"], "result": None})
            elif message.get("id") == wanted:
                if "error" in message:
                    raise DaemonError(f"the daemon refused `{method}`: {message['error'].get('message')}")
                return message.get("result")

    def notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode("utf-8", "replace")
        if len(body) > BODY_BYTES_MAX:
            raise DaemonError("the text is too large for the daemon")
        try:
            self._connection.settimeout(ANSWER_LIMIT_MS / 1000)
            self._connection.sendall(frame(body))
        except OSError as error:
            raise DaemonError("the daemon does not take what it is sent") from error

    def _receive(self, give_up_at_s: float) -> dict[str, Any]:
        while not self._ready:
            left_s = give_up_at_s - time.monotonic()
            if left_s <= 0:
                raise DaemonError("the daemon does not answer", "`fimble daemon restart --force` ends it")
            self._connection.settimeout(left_s)
            try:
                data = self._connection.recv(RECEIVE_BYTES)
                self._ready += [body for body in self._splitter.feed(data) if isinstance(body, bytes)]
            except TimeoutError:
                continue
            except (OSError, FrameError) as error:
                raise DaemonError("the connection to the daemon failed") from error
            if not data:
                raise DaemonError("the daemon ended before it answered", "`fimble daemon logs` may show why")
        message: dict[str, Any] = json.loads(self._ready.pop(0))
        return message


def find(settings: Settings) -> Visit | None:
    """Give a session with the running daemon, or None if none runs.

    The session has exactly these settings, whatever file the daemon reads.
    Errors: DaemonError if what runs cannot be joined.
    """
    # A command is not an editor: what it is shown says nothing of what its user takes.
    asked = dataclasses.replace(settings, statistics=False).options()
    options = [list(pair) for pair in asked.items()]
    joined = Starter(find_place()).try_join(greeting.SESSION, options=options, directory=os.getcwd())  # noqa: PTH109
    return Visit(joined) if joined is not None else None
