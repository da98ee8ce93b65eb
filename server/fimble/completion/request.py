"""What a completion is asked with and answered by. Plain values; the service does the work."""

from __future__ import annotations

from dataclasses import dataclass

from fimble.records import Completion, Decline, RequestTrace, Snippet, Trigger
from fimble.text.document import DocumentSnapshot


@dataclass(frozen=True, slots=True)
class SelectedCompletion:
    """The item the editor's menu has selected; ghost text must continue it."""

    text: str
    start_offset: int
    end_offset: int


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One question: what comes at `offset` of `document`?

    `snippets` are other text to go by, such as the notebook's cells above, first to last. `indent_unit` and
    `tab_width_columns` are what the editor says, if it does; otherwise the file decides.
    """

    document: DocumentSnapshot
    offset: int
    trigger: Trigger = Trigger.AUTOMATIC
    selected: SelectedCompletion | None = None
    n_alternatives: int = 1
    indent_unit: str | None = None
    tab_width_columns: int | None = None
    snippets: tuple[Snippet, ...] = ()


@dataclass(frozen=True, slots=True)
class CompletionResult:
    """What to show (best first) or why nothing, and how it came about.

    Offsets in `completions` are those of `document`: the newest snapshot the answer was checked against.
    """

    document: DocumentSnapshot
    completions: tuple[Completion, ...]
    decline: Decline | None
    trace: RequestTrace
