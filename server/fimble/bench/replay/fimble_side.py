"""The side *fimble*: the real server as a child process, spoken to in LSP as an editor speaks. Sees nothing inside it.

After each change the editor cancels the request under way and asks anew, as VS Code does; it adds no delay of its own.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from fimble.bench.replay.link import Link
from fimble.bench.replay.screen import Screen
from fimble.bench.replay.side import Work
from fimble.bench.wire import shown_items
from fimble.errors import EngineError, FimbleError
from fimble.text.position import Encoding, n_units

ANSWER_LIMIT_S = 120.0
ASK_AGAIN_S = 0.05
FOLDER_URI = "file:///replay/"


class FimbleSide:
    """`fimble serve` over stdio. `options` are initialization options; `arguments` those of `serve`."""

    def __init__(
        self,
        options: Mapping[str, Any],
        environment: Mapping[str, str] | None = None,
        arguments: tuple[str, ...] = ("--no-share",),
        name: str = "fimble",
    ) -> None:
        self.name = name
        self.screen = Screen()
        self._options, self._environment, self._arguments = dict(options), environment, arguments
        self._link: Link | None = None
        self._answered = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self._waiting: set[int] = set()
        self._n_requests = 0
        self._asked: tuple[int, int] | None = None
        self._item: dict[str, Any] | None = None
        self._uri = ""

    @property
    def pid(self) -> int:
        assert self._link is not None
        return self._link.pid

    def start(self) -> None:
        self._link = Link(
            ["fimble", "serve", *self._arguments],
            self._on_message,
            lambda: self._fail("the server ended"),
            self._environment,
        )
        capabilities = {
            "general": {"positionEncodings": ["utf-16"]},
            "textDocument": {"inlineCompletion": {}, "synchronization": {}},
        }
        self._request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": None,
                "capabilities": capabilities,
                "initializationOptions": self._options,
            },
        )
        self._notify("initialized", {})
        self._wait_ready()

    def open(self, path: str, language: str, before: str, after: str) -> None:
        self.screen.open(before, after)
        self._uri, self._asked, self._item = FOLDER_URI + path, None, None
        item = {"uri": self._uri, "languageId": language, "version": self.screen.version, "text": before + after}
        self._notify("textDocument/didOpen", {"textDocument": item})

    def type(self, key: str) -> None:
        self._change(key, 0)

    def erase(self, n_chars: int) -> None:
        self._change("", n_chars)

    def accept(self, text: str) -> None:
        ghost, item = self.screen.ghost, self._item
        # Taking a part is an editor's own doing; only who takes the whole runs the item's command.
        is_whole = ghost is not None and ghost.text.rstrip() == text
        command = item.get("command") if item is not None and is_whole else None
        self._change(text, 0)
        if command:
            params = {"command": command["command"], "arguments": command.get("arguments", [])}
            self._send_request("workspace/executeCommand", params, forget=True)

    def close_file(self) -> None:
        self._cancel()
        self._notify("textDocument/didClose", {"textDocument": {"uri": self._uri}})

    def work(self) -> Work:
        usage = self._request("fimble/status", {}).get("usage")
        if not isinstance(usage, dict):
            raise FimbleError("the server does not say what its model did")
        return Work(usage["n_generations"], usage["n_prefilled_tokens"], usage["n_decoded_tokens"])

    def stop(self) -> None:
        if self._link is None:
            return
        try:
            self._request("shutdown", None, limit_s=10.0)
            self._notify("exit", None)
        except FimbleError:
            pass
        self._link.close()

    def _change(self, text: str, n_erased_chars: int) -> None:
        """Send one change and ask behind it, the request under way cancelled first."""
        screen = self.screen
        start = _position(screen.before[: len(screen.before) - n_erased_chars])
        change = {"range": {"start": start, "end": _position(screen.before)}, "text": text}
        self._cancel()
        if n_erased_chars:
            screen.erase(n_erased_chars)
        else:
            screen.insert(text)
        document = {"uri": self._uri, "version": screen.version}
        self._notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
        asked = {
            "textDocument": {"uri": self._uri},
            "position": _position(screen.before),
            "context": {"triggerKind": 2},
        }
        with self._answered:
            self._asked = (self._send_request("textDocument/inlineCompletion", asked, forget=True), screen.version)

    def _cancel(self) -> None:
        with self._answered:
            if self._asked is not None:
                self._notify("$/cancelRequest", {"id": self._asked[0]})
                self._asked = None

    def _wait_ready(self) -> None:
        give_up_at_s = time.monotonic() + ANSWER_LIMIT_S
        while time.monotonic() < give_up_at_s:
            status = self._request("fimble/status", {})
            if status.get("state") == "ready":
                return
            if status.get("state") not in ("loading", "unloaded"):
                raise FimbleError(f"the server cannot complete: {status.get('message')}", "run `fimble doctor`")
            time.sleep(ASK_AGAIN_S)
        raise FimbleError("the model did not get ready", "run `fimble doctor`")

    def _notify(self, method: str, params: Mapping[str, Any] | None) -> None:
        assert self._link is not None
        self._link.send({"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})})

    def _send_request(self, method: str, params: Mapping[str, Any] | None, forget: bool = False) -> int:
        assert self._link is not None
        with self._answered:
            self._n_requests += 1
            request_id = self._n_requests
            if not forget:
                self._waiting.add(request_id)
        message = {"jsonrpc": "2.0", "id": request_id, "method": method}
        self._link.send(message if params is None else message | {"params": params})
        return request_id

    def _request(self, method: str, params: Mapping[str, Any] | None, limit_s: float = ANSWER_LIMIT_S) -> Any:
        """Give the result of one request. Errors: EngineError."""
        request_id = self._send_request(method, params)
        with self._answered:
            self._answered.wait_for(lambda: request_id in self._answers or self.screen.failure, limit_s)
            self._waiting.discard(request_id)
            answer = self._answers.pop(request_id, None)
        if answer is None:
            raise EngineError(self.screen.failure or f"the server did not answer `{method}`", "run `fimble doctor`")
        if "error" in answer:
            raise EngineError(f"the server answered `{method}` with: {answer['error'].get('message')}")
        return answer.get("result")

    def _on_message(self, message: dict[str, Any]) -> None:
        """Take one message of the server, on the reader's thread."""
        if "method" in message:
            if "id" in message:
                assert self._link is not None
                self._link.send({"jsonrpc": "2.0", "id": message["id"], "result": None})
            return
        with self._answered:
            asked = self._asked
            if message.get("id") in self._waiting:
                self._answers[message["id"]] = message
                self._answered.notify_all()
            if asked is None or message.get("id") != asked[0]:
                return
            self._asked = None
        items = shown_items(message.get("result"))
        # Nothing new is no reason to hide what the user is typing through.
        if items:
            self._draw(items[0], asked[1])

    def _draw(self, item: dict[str, Any], version: int) -> None:
        text = item["insertText"]
        whole = str(text["value"] if isinstance(text, dict) else text)
        here = _position(self.screen.before)["character"]
        extent = item.get("range") or {"start": {"character": here}, "end": {"character": here}}
        n_before, n_behind = here - extent["start"]["character"], extent["end"]["character"] - here
        already = self.screen.before[len(self.screen.before) - n_before :] if n_before else ""
        if whole.startswith(already):
            self._item = item
            self.screen.put(whole[len(already) :], version, n_behind)

    def _fail(self, why: str) -> None:
        self.screen.fail(why)
        with self._answered:
            self._answered.notify_all()


def _position(before: str) -> dict[str, int]:
    """Give the place after `before`, in UTF-16 units."""
    line = before.rpartition("\n")[2]
    return {"line": before.count("\n"), "character": n_units(line, Encoding.UTF16)}
