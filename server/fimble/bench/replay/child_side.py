"""Sides that are a child process of this package: told of each change, they say what is to be drawn.

Messages to the child: `open`, `text`, `close`, `work`, each with the version they make; from it: `ready`, `failed`,
`show` and `work`. What a child does between them is its own policy.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from fimble.bench.replay.link import Link
from fimble.bench.replay.screen import Screen
from fimble.bench.replay.side import Work
from fimble.errors import EngineError, FimbleError

ANSWER_LIMIT_S = 300.0


class ChildSide:
    """A module of this package run as `python -m MODULE ARGUMENTS`."""

    def __init__(
        self, name: str, module_arguments: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.screen = Screen()
        self._module_arguments, self._environment = list(module_arguments), environment
        self._link: Link | None = None
        self._said = threading.Condition()
        self._answers: dict[str, dict[str, Any]] = {}

    @property
    def pid(self) -> int:
        assert self._link is not None
        return self._link.pid

    def start(self) -> None:
        self._link = Link(
            self._module_arguments, self._on_message, lambda: self._fail("it ended by itself"), self._environment
        )
        self._wait_for("ready")

    def open(self, path: str, language: str, before: str, after: str) -> None:
        self.screen.open(before, after)
        self._tell("open", path=path, language=language)

    def type(self, key: str) -> None:
        self.screen.insert(key)
        self._tell("text")

    def erase(self, n_chars: int) -> None:
        self.screen.erase(n_chars)
        self._tell("text")

    def accept(self, text: str) -> None:
        self.screen.insert(text)
        self._tell("text")

    def close_file(self) -> None:
        self._tell("close")

    def work(self) -> Work:
        self._tell("work")
        answer = self._wait_for("work")
        return Work(answer["n_generations"], answer["n_prefilled_tokens"], answer["n_decoded_tokens"])

    def stop(self) -> None:
        if self._link is not None:
            self._link.close()

    def _tell(self, what: str, **more: str) -> None:
        assert self._link is not None
        screen = self.screen
        place = {"version": screen.version, "before": screen.before, "after": screen.after}
        self._link.send({"say": what, **place, **more})

    def _wait_for(self, what: str) -> dict[str, Any]:
        with self._said:
            self._said.wait_for(lambda: what in self._answers or self.screen.failure, ANSWER_LIMIT_S)
            answer = self._answers.pop(what, None)
        if answer is None:
            raise EngineError(f"side `{self.name}`: {self.screen.failure or 'it did not answer'}")
        return answer

    def _on_message(self, message: dict[str, Any]) -> None:
        """Take one message of the child, on the reader's thread."""
        said = message.get("say")
        if said == "show":
            self.screen.put(message.get("text"), message["version"], message.get("n_replaced_chars", 0))
        elif said == "failed":
            self._fail(str(message.get("message")))
        elif isinstance(said, str):
            with self._said:
                self._answers[said] = message
                self._said.notify_all()

    def _fail(self, why: str) -> None:
        self.screen.fail(why)
        with self._said:
            self._said.notify_all()


def failure_of(error: FimbleError) -> dict[str, Any]:
    """Give the message with which a child says why it cannot work."""
    return {"say": "failed", "message": f"{error.message} ({error.hint})" if error.hint else error.message}
