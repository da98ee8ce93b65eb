"""A person at a keyboard, imitated: types a sample through a real server and takes what it suggests. Prints nothing."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from fimble.cli.demo.sample import Sample, Step, keystrokes
from fimble.cli.stdio_client import RequestError, StdioClient
from fimble.text.position import Encoding, n_units

TYPING_MS = (30.0, 90.0)
"""Shortest and longest pause between keys, in a burst: a fast typist, so that the demo is short."""
LINE_END_MS = 240.0
READING_MS = 900.0
"""How long the typist looks at a suggestion before taking it."""
ANSWER_LIMIT_S = 30.0


@dataclass(slots=True)
class Shown:
    """One suggestion that was drawn: from which key to which screen it took `answer_ms`."""

    text: str
    answer_ms: float
    accepted: bool = False


@dataclass(slots=True)
class Tally:
    """What happened so far. A request is superseded when the next key comes before its answer."""

    n_requests: int = 0
    n_superseded: int = 0
    n_typed_chars: int = 0
    n_accepted_chars: int = 0
    shown: list[Shown] = field(default_factory=list)


@dataclass(slots=True)
class Screen:
    """What a person sees: the text, the cursor after `before`, and the ghost text there.

    `n_covered_chars` of `after` would be replaced by accepting (a bracket the suggestion closes itself).
    """

    before: str
    after: str
    ghost: str = ""
    n_covered_chars: int = 0
    note: str = ""


class Typist:
    """Types one sample. `on_screen` is called after each change; with `hurried` there are no human pauses."""

    def __init__(
        self,
        client: StdioClient,
        sample: Sample,
        on_screen: Callable[[Screen], None],
        hurried: bool = False,
        seed: int = 7,
    ) -> None:
        self._client = client
        self._sample = sample
        self.on_screen = on_screen
        self._hurried = hurried
        self._random = random.Random(seed)
        self._uri = f"untitled:{sample.file_name}"
        self._version = 1
        self._item: dict[str, Any] | None = None
        self._pending: asyncio.Task[None] | None = None
        self.screen = Screen(sample.before, sample.after)
        self.tally = Tally()

    async def play(self, on_step: Callable[[Step, Shown | None], None] = lambda _step, _shown: None) -> None:
        """Type every step, telling `on_step` what was accepted at its end."""
        document = {"uri": self._uri, "languageId": self._sample.language, "version": 1, "text": self.text}
        self._client.notify("textDocument/didOpen", {"textDocument": document})
        self.on_screen(self.screen)
        for step in self._sample.steps:
            await self._type(step.typed)
            accepted = await self._take_suggestion()
            if accepted is None:
                await self._type(step.otherwise)
            on_step(step, accepted)
        await self._drop_pending()
        self._client.notify("textDocument/didClose", {"textDocument": {"uri": self._uri}})

    async def _type(self, text: str) -> None:
        for key in keystrokes(text):
            self._insert(key)
            self.tally.n_typed_chars += len(key)
            await self._drop_pending()
            self._pending = asyncio.create_task(self._ask())
            await self._pause(LINE_END_MS if key[0] == "\n" else self._random.uniform(*TYPING_MS))

    async def _take_suggestion(self) -> Shown | None:
        """Wait for the answer to the last key; read it and accept it, or give None if there is nothing."""
        if self._pending is not None:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                await self._pending
        screen, item = self.screen, self._item
        if item is None or not screen.ghost:
            return None
        shown = self.tally.shown[-1]
        await self._pause(READING_MS)
        self._change(screen.before, screen.ghost, screen.n_covered_chars)
        self.tally.n_accepted_chars += len(screen.ghost)
        shown.accepted = True
        # Typed through since it was drawn, it is the rest of it that is taken.
        taken = replace(shown, text=screen.ghost)
        screen.before += screen.ghost
        screen.after = screen.after[screen.n_covered_chars :]
        self._put(None)
        screen.note = f"accepted, {shown.answer_ms:.0f} ms"
        self.on_screen(screen)
        if command := item.get("command"):
            params = {"command": command["command"], "arguments": command.get("arguments", [])}
            await self._client.request("workspace/executeCommand", params)
        await self._pause(READING_MS / 2)
        return taken

    async def _ask(self) -> None:
        """Ask for ghost text at the cursor and show what comes, if it comes before the next key."""
        asked_at_s = time.monotonic()
        self.tally.n_requests += 1
        params = {
            "textDocument": {"uri": self._uri},
            "position": self._position(self.screen.before),
            "context": {"triggerKind": 2},
        }
        request_id, answer = self._client.start_request("textDocument/inlineCompletion", params)
        try:
            items = _items(await asyncio.shield(answer))
        except asyncio.CancelledError:
            self._client.cancel(request_id)
            answer.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise
        except RequestError:
            items = []
        answer_ms = (time.monotonic() - asked_at_s) * 1000
        already = self.screen.ghost
        self._put(items[0] if items else None)
        # The rest of a suggestion that is already there is not a new one.
        if self.screen.ghost and self.screen.ghost != already:
            self.tally.shown.append(Shown(self.screen.ghost, answer_ms))
        self.screen.note = f"ghost text after {answer_ms:.0f} ms" if self.screen.ghost else ""
        self.on_screen(self.screen)

    async def _drop_pending(self) -> None:
        """Give up the answer under way, as an editor does at the next key."""
        if self._pending is None or self._pending.done():
            return
        self._pending.cancel()
        await asyncio.gather(self._pending, return_exceptions=True)
        self.tally.n_superseded += 1

    def _insert(self, key: str) -> None:
        """Put one key's text at the cursor; ghost text that begins with it stays."""
        self._change(self.screen.before, key, 0)
        self.screen.before += key
        rest = self.screen.ghost.removeprefix(key)
        if rest == self.screen.ghost:
            rest, self._item = "", None
        self.screen.ghost = rest
        self.screen.note = ""
        self.on_screen(self.screen)

    def _put(self, item: dict[str, Any] | None) -> None:
        """Put an item's text after the cursor: what of it is not there yet, and how much of the line it covers."""
        screen, self._item = self.screen, item
        screen.ghost, screen.n_covered_chars = "", 0
        if item is not None:
            here = self._position(screen.before)
            extent = item.get("range") or {"start": here, "end": here}
            n_already_chars = here["character"] - extent["start"]["character"]
            screen.ghost = _text_of(item)[n_already_chars:]
            screen.n_covered_chars = extent["end"]["character"] - here["character"]

    def _change(self, before: str, inserted: str, n_replaced_chars: int) -> None:
        self._version += 1
        start = self._position(before)
        end = {"line": start["line"], "character": start["character"] + n_replaced_chars}
        change = {"range": {"start": start, "end": end}, "text": inserted}
        document = {"uri": self._uri, "version": self._version}
        self._client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    @property
    def text(self) -> str:
        """The whole file as it is now."""
        return self.screen.before + self.screen.after

    def _position(self, before: str) -> dict[str, int]:
        """Give the place after `before`. A sample is ASCII, but what a model writes need not be: UTF-16 units."""
        line = before.rpartition("\n")[2]
        return {"line": before.count("\n"), "character": n_units(line, Encoding.UTF16)}

    async def _pause(self, duration_ms: float) -> None:
        await asyncio.sleep(0 if self._hurried else duration_ms / 1000)


def _items(answer: Any) -> list[dict[str, Any]]:
    return list(answer["items"] if isinstance(answer, dict) else answer or [])


def _text_of(item: dict[str, Any]) -> str:
    text = item["insertText"]
    return str(text["value"] if isinstance(text, dict) else text)
