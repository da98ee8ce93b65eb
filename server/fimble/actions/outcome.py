"""What an action is asked with and what comes of it. Plain values; no work is done here."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from fimble.errors import FimbleError

Record = TypeVar("Record")


class Refusal(enum.Enum):
    """Why nothing is applied. A value is part of the interface: messages, `--json` and tests use it."""

    UNKNOWN_ACTION = "unknown-action"
    NOT_HERE = "not-here"
    NOTHING_ASKED = "nothing-asked"
    NO_INSTRUCTION = "no-instruction"
    TOO_LARGE = "too-large"
    PATH_OFF = "path-off"
    SECRET = "secret"
    NO_CHAT = "no-chat"
    MODEL_NOT_INSTALLED = "model-not-installed"
    MODEL_LOADING = "model-loading"
    ENGINE_FAILED = "engine-failed"
    CANCELLED = "cancelled"
    EMPTY_ANSWER = "empty-answer"
    NO_CODE = "no-code"
    CUT_OFF = "cut-off"
    LOOPS = "loops"
    REPEATS_PROMPT = "repeats-prompt"
    DOES_NOT_PARSE = "does-not-parse"
    NAME_MISSING = "name-missing"
    SIGNATURE_CHANGED = "signature-changed"
    PLACEHOLDER = "placeholder"
    UNDEFINED_NAME = "undefined-name"
    UNCHANGED = "unchanged"
    EXAMPLES_FAIL = "examples-fail"
    NO_TESTS = "no-tests"
    DOCUMENT_CHANGED = "document-changed"
    DOCUMENT_CLOSED = "document-closed"
    NOT_APPLIED = "not-applied"


class ActionRefusedError(FimbleError):
    """An action stops here; nothing was changed. `message` is for the user and may name code of theirs."""

    def __init__(self, refusal: Refusal, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace code points `start_offset:end_offset` of the snapshot by `text`, which has the document's line ends."""

    start_offset: int
    end_offset: int
    text: str


@dataclass(frozen=True, slots=True)
class FileText:
    """A whole file beside the document: `path` is absolute; `old_text` None means that it is new.

    `edits` change `old_text`; a new file has one edit that inserts all of it. `holds_tests`: that is what it is for.
    """

    path: str
    language: str
    edits: tuple[Edit, ...]
    old_text: str | None = None
    holds_tests: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark of a review."""

    start_offset: int
    end_offset: int
    message: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What one answer amounts to, before it is verified.

    `promised` are names that the result must define; `parameters` is the answer's parameter list where the old one
    must be kept. `reason` is what the model said about its change.
    """

    edits: tuple[Edit, ...] = ()
    files: tuple[FileText, ...] = ()
    markdown: str = ""
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    promised: tuple[str, ...] = ()
    parameters: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `refusal` says what it means when it did not pass.

    One that is not `blocking` speaks against an answer without forbidding it: what was asked may have been misread.
    """

    name: str
    passed: bool
    detail: str = ""
    refusal: Refusal | None = None
    blocking: bool = True


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What to apply or show, or why nothing.

    `raw_text` is the model's own answer, kept so that the user can look at one that was not applied.
    `edits` fit `version` of the document.
    """

    action: str
    title: str
    version: int = 0
    edits: tuple[Edit, ...] = ()
    files: tuple[FileText, ...] = ()
    markdown: str = ""
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    refusal: Refusal | None = None
    message: str = ""
    hint: str | None = None
    raw_text: str = ""
    checks: tuple[Check, ...] = ()
    n_candidates: int = 0
    n_prompt_tokens: int = 0
    n_decoded_tokens: int = 0
    total_ms: float = 0.0
    notes: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Give plain values, with refusals by their names."""
        plain = asdict(self)
        for one in (plain, *plain["checks"]):
            one["refusal"] = one["refusal"].value if one["refusal"] is not None else None
        return plain

    @staticmethod
    def of_json(plain: dict[str, Any]) -> ActionResult:
        """Read what `as_json` gave. Errors: TypeError, KeyError, ValueError for anything else."""
        files = [FileText(**(file | {"edits": _all(Edit, file["edits"])})) for file in plain["files"]]
        checks = [Check(**(check | {"refusal": _refusal(check["refusal"])})) for check in plain["checks"]]
        read = {
            "edits": _all(Edit, plain["edits"]),
            "files": tuple(files),
            "findings": _all(Finding, plain["findings"]),
            "checks": tuple(checks),
            "notes": tuple(plain["notes"]),
            "refusal": _refusal(plain["refusal"]),
        }
        return ActionResult(**(plain | read))


def _all(kind: type[Record], plain: list[dict[str, Any]]) -> tuple[Record, ...]:
    return tuple(kind(**one) for one in plain)


def _refusal(name: str | None) -> Refusal | None:
    return Refusal(name) if name is not None else None


def apply_edits(text: str, edits: tuple[Edit, ...]) -> str:
    """Give the text with all edits made. They must not overlap; those at one place keep their order."""
    pieces: list[str] = []
    here = 0
    for edit in sorted(edits, key=lambda e: (e.start_offset, e.end_offset)):
        pieces.extend((text[here : edit.start_offset], edit.text))
        here = edit.end_offset
    return "".join((*pieces, text[here:]))
