"""A daemon whose sessions remember what they were sent: for tests of what lies between the editor and a session."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from fimble import log
from fimble.daemon.framing import frame
from fimble.daemon.lifecycle import run_daemon
from fimble.daemon.place import find_place
from fimble.daemon.stream import Stream


class RecordingSession:
    """Answers `initialize`, `shutdown` and a few questions of the tests; records the rest."""

    def __init__(self, number: int, words: Any) -> None:
        self.number = number
        self.words = dict(words)
        self.received: list[dict[str, Any]] = []

    def describe(self) -> dict[str, Any]:
        return {"client": "test"}

    async def serve(self, stream: Stream) -> None:
        while isinstance(body := await stream.read(), bytes):
            message = json.loads(body)
            self.received.append(message)
            if message.get("method") == "exit":
                return
            if "id" in message and "method" in message and message["method"] != "test/never":
                result = self.answer(message, stream)
                self.send(stream, {"jsonrpc": "2.0", "id": message["id"], "result": result})

    def answer(self, message: dict[str, Any], stream: Stream) -> Any:
        params = message.get("params")
        match message["method"]:
            case "initialize":
                return {"capabilities": {"positionEncoding": "utf-16"}, "serverInfo": {"pid": os.getpid()}}
            case "test/received":
                return self.received
            case "test/words":
                return self.words
            case "test/send":
                self.send(stream, params)
            case "test/crash":
                os._exit(9)
        return None

    @staticmethod
    def send(stream: Stream, message: dict[str, Any]) -> None:
        stream.write(frame(json.dumps(message).encode()))


if __name__ == "__main__":
    log.configure("info")
    raise SystemExit(run_daemon(find_place(), RecordingSession, idle_exit_s=float(sys.argv[1])))
