"""Plain immutable values that pass between rooms. No behaviour beyond derived properties, no I/O."""

from __future__ import annotations

import enum
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


class Trigger(enum.Enum):
    """Who asked: the user by a key, or the editor because the user typed."""

    INVOKED = "invoked"
    AUTOMATIC = "automatic"


class Shape(enum.Enum):
    """How much is asked for at this place."""

    LINE = "line"
    """The rest of the current line."""
    BLOCK = "block"
    """Lines until the block that the cursor is in ends."""


class DeclineReason(enum.Enum):
    """Why nothing is shown. A value is part of the interface: logs, `explain` and tests use it."""

    DISABLED = "disabled"
    LANGUAGE_OFF = "language-off"
    PATH_OFF = "path-off"
    DOCUMENT_NOT_OPEN = "document-not-open"
    POSITION_OUTSIDE = "position-outside"
    DOCUMENT_TOO_LARGE = "document-too-large"
    LINE_TOO_LONG = "line-too-long"
    NOT_TEXT = "not-text"
    NOTHING_TO_COMPLETE = "nothing-to-complete"
    MODEL_NOT_INSTALLED = "model-not-installed"
    MODEL_LOADING = "model-loading"
    ENGINE_FAILED = "engine-failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    DOCUMENT_CHANGED = "document-changed"
    SELECTION_MISMATCH = "selection-mismatch"
    DEADLINE = "deadline"
    PROMPT_BUDGET = "prompt-budget"
    EMPTY_ANSWER = "empty-answer"
    ONLY_WHITESPACE = "only-whitespace"
    REPETITION_LOOP = "repetition-loop"
    REPEATS_SUFFIX = "repeats-suffix"
    REPEATS_PREFIX = "repeats-prefix"
    OUT_OF_SCOPE = "out-of-scope"
    DOES_NOT_JOIN = "does-not-join"
    SHUTTING_DOWN = "shutting-down"


@dataclass(frozen=True, slots=True)
class Decline:
    """Nothing to show, and why. `detail` never holds document text."""

    reason: DeclineReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CursorWindow:
    """The text around the cursor that a suggestion may depend on, with LF line ends.

    `prefix` ends at the cursor, `suffix` starts there; both may be cut far away from it (at line starts and
    line ends respectively). `indent_unit` is one level of indentation as the file or the editor writes it.
    `starts_document` says that nothing was cut off before `prefix`.
    """

    prefix: str
    suffix: str
    language: str = ""
    indent_unit: str = "    "
    tab_width_columns: int = 4
    starts_document: bool = True

    @property
    def line_prefix(self) -> str:
        """Text of the cursor's line before the cursor."""
        return self.prefix[self.prefix.rfind("\n") + 1 :]

    @property
    def line_suffix(self) -> str:
        """Text of the cursor's line after the cursor."""
        end = self.suffix.find("\n")
        return self.suffix if end < 0 else self.suffix[:end]

    @property
    def ends_line(self) -> bool:
        """Whether the cursor stands at the end of a line with something in it."""
        return bool(self.line_prefix.strip()) and not self.line_suffix.strip()

    @property
    def lines_below(self) -> Iterator[str]:
        """Lines after the cursor's line, nearest first, without line ends; who needs a few reads no more."""
        end = self.suffix.find("\n")
        while end >= 0:
            start, end = end + 1, self.suffix.find("\n", end + 1)
            yield self.suffix[start:] if end < 0 else self.suffix[start:end]

    @property
    def lines_above(self) -> Iterator[str]:
        """Lines before the cursor's line, nearest first, without line ends."""
        end = self.prefix.rfind("\n")
        while end >= 0:
            start = self.prefix.rfind("\n", 0, end) + 1
            yield self.prefix[start:end]
            end = start - 1


@dataclass(frozen=True, slots=True)
class Snippet:
    """Text from another place that may help; `label` is a path or URI, for the explanation only."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class FimPrompt:
    """One prompt in token ids. `head` is the part that stays the same while the user types on (it may be
    empty), `tail` the part that changes; the model reads `head + tail`."""

    head: tuple[int, ...]
    tail: tuple[int, ...]

    @property
    def n_tokens(self) -> int:
        return len(self.head) + len(self.tail)


@dataclass(frozen=True, slots=True)
class Completion:
    """One suggestion against a snapshot: `text` replaces the code points `start_offset:end_offset`.

    `text` has the document's line ends. `completion_id` names it in statistics and in the accepted command.
    """

    completion_id: str
    text: str
    start_offset: int
    end_offset: int


class CancelToken:
    """Say once, from any thread, that a piece of work is not wanted any more, and why."""

    __slots__ = ("_event", "reason")

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reason: DeclineReason | None = None

    def cancel(self, reason: DeclineReason = DeclineReason.CANCELLED) -> None:
        if not self._event.is_set():
            self.reason = reason
            self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()


class StopReason(enum.Enum):
    """Why a generation ended."""

    END_TOKEN = "end-token"
    RULE = "rule"
    LENGTH = "length"
    CANCELLED = "cancelled"
    DEADLINE = "deadline"


@dataclass(frozen=True, slots=True)
class Generation:
    """What the engine decoded for one row.

    `text` holds whole characters only. `log_probability` is the sum over the decoded tokens where the engine
    gives it. Times are wall-clock. `n_kept_tokens` of the prompt had been read before, or are kept read from now on.
    """

    text: str
    n_decoded_tokens: int
    stop_reason: StopReason
    queue_ms: float = 0.0
    first_token_ms: float = 0.0
    total_ms: float = 0.0
    log_probability: float | None = None
    n_kept_tokens: int = 0


@dataclass(frozen=True, slots=True)
class RequestTrace:
    """What the last request did, for `explain`: never document text, only sizes, times and reasons."""

    request_id: int
    uri: str
    language: str
    trigger: Trigger
    outcome: str
    reason: str = ""
    detail: str = ""
    shape: str = ""
    model_id: str = ""
    cache: str = ""
    n_prefix_tokens: int = 0
    n_suffix_tokens: int = 0
    n_head_tokens: int = 0
    n_decoded_tokens: int = 0
    second_look: str = ""
    stop_reason: str = ""
    filters: tuple[str, ...] = ()
    calibrated: str = ""
    parts_ms: dict[str, float] = field(default_factory=dict)
