"""The document a task is asked about, and the document an answer makes of it. Plain values; asks no model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from fimble.eval.task import WHOLE_LINE_SETS, InfillingTask


@dataclass(frozen=True, slots=True)
class Hole:
    """The place in a document where an answer is asked for; `offset` in code points."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer: `text` replaces `start_offset:end_offset` of the hole's document.

    `declined` is the reason where nothing was offered; `trace` is what the service says about the request.
    """

    text: str
    start_offset: int
    end_offset: int
    declined: str = ""
    trace: dict[str, Any] = field(default_factory=dict)


class Answerer(Protocol):
    """Something that fills holes."""

    def hole(self, task: InfillingTask) -> Hole:
        """Give the document to ask about."""

    async def answer(self, task: InfillingTask, hole: Hole) -> Candidate:
        """Fill the hole. Errors: EngineError if the model cannot be run."""


def hole_for_editor(task: InfillingTask, set_name: str) -> Hole:
    """Give the document as a user would have it, with the cursor in the hole.

    Where whole lines are missing the user stands on an empty line: the line end after the cursor is the
    document's, and an answer of one line has none.
    """
    between = "\n" if set_name in WHOLE_LINE_SETS else ""
    return Hole(task.prompt + between + task.suffix, len(task.prompt))


def hole_as_published(task: InfillingTask) -> Hole:
    """Give the document as the benchmark has it: the answer brings its own line end."""
    return Hole(task.prompt + task.suffix, len(task.prompt))


def apply(hole: Hole, candidate: Candidate) -> str:
    """Give the document after the answer was taken, replaced range included."""
    return hole.text[: candidate.start_offset] + candidate.text + hole.text[candidate.end_offset :]


def matches_exactly(document: str, task: InfillingTask) -> bool:
    """Tell whether the document is the author's, but for spaces at line ends and empty lines at its end."""
    return _trimmed(document) == _trimmed(task.prompt + task.canonical_solution + task.suffix)


def _trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().split("\n")]
