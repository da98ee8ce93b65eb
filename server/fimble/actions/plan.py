"""What each action is made of: where it is offered, how it asks, how its answer is read. Does none of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from fimble.actions.chat import Ask, Infill
from fimble.actions.outcome import Draft
from fimble.actions.place import Place


class Workspace(Protocol):
    """The files beside the document, for actions that write another file."""

    def read(self, path: str) -> str | None:
        """Give a file's text (an open document before the disk), or None if there is none."""

    def root_of(self, path: str) -> str:
        """Give the folder of the project that holds `path`."""

    def is_folder(self, path: str) -> bool:
        """Say whether there is a folder at `path`."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user said beside the place: their own words, a target language, their locale (`zh-CN`)."""

    workspace: Workspace
    instruction: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """One entry of the editor's menu. `preferred` marks the obvious one at this place."""

    action: str
    title: str
    kind: str
    preferred: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """One request to the model and how to read what comes back.

    `read` gets the answer with the prefill in front and gives a draft; it raises ActionRefusedError for an answer
    that is of no use. `fenced` says that the prefill opens a code block whose end is the end of the answer.
    `examples_of` is text that may hold examples to run against the result.
    """

    ask: Ask
    read: Callable[[str], Draft]
    infill: Infill | None = None
    read_infill: Callable[[str], Draft] | None = None
    fenced: bool = True
    verified: bool = True
    examples_of: str = ""
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `offer` is cheap and pure: it runs each time the cursor rests. `makes`: edit, files, document
    or findings."""

    name: str
    title: str
    kind: str
    makes: str
    offer: Callable[[Place], Offer | None]
    plan: Callable[[Place, Wish], Plan]
    needs_chat: bool = True
