"""One action of one editor, from what the client sent to the service's result, with progress and cancellation."""

from __future__ import annotations

import asyncio
import importlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

from fimble.log import LOGGER
from fimble.lsp import shown
from fimble.lsp.protocol import arrival
from fimble.records import CancelToken
from fimble.statistics.tally import Event
from fimble.text.position import Position, to_offset

if TYPE_CHECKING:
    from fimble.actions.outcome import ActionResult
    from fimble.actions.place import Place
    from fimble.lsp.server import FimbleServer
    from fimble.text.document import DocumentSnapshot

SHOW_ANSWER = "Show the answer"
PARTIAL_CHARS_MAX = 80
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client wants run: it travels as a code action's data or as a command's argument."""

    name: str
    uri: str
    range: types.Range
    version: int | None = None
    instruction: str = ""
    problems: tuple[tuple[str, types.Range], ...] = ()

    def named(self, name: str) -> Wanted:
        return replace(self, name=name)

    def about(self, messages: list[str], diagnostics: Sequence[types.Diagnostic]) -> Wanted:
        return replace(self, problems=tuple(zip(messages, (d.range for d in diagnostics), strict=True)))

    def as_data(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "uri": self.uri,
            "range": _range_data(self.range),
            "version": self.version,
            "instruction": self.instruction,
            "problems": [{"message": message, "range": _range_data(place)} for message, place in self.problems],
        }

    @staticmethod
    def of(data: Any) -> Wanted | None:
        """Read what `as_data` gave, or a client wrote; None for anything else."""
        raw = _plain(data)
        if not isinstance(raw, dict) or not isinstance(raw.get("name"), str) or not isinstance(raw.get("uri"), str):
            return None
        place = _range(raw.get("range"))
        version, instruction = raw.get("version"), raw.get("instruction")
        problems = [
            (p["message"], where)
            for p in raw.get("problems") or ()
            if isinstance(p, dict) and isinstance(p.get("message"), str) and (where := _range(p.get("range")))
        ]
        if place is None:
            return None
        return Wanted(
            raw["name"],
            raw["uri"],
            place,
            version if isinstance(version, int) else None,
            instruction if isinstance(instruction, str) else "",
            tuple(problems),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """The service's result and the snapshot its offsets mean (None: the document is not open)."""

    result: ActionResult
    document: DocumentSnapshot | None


async def load_actions() -> None:
    """Load the actions and their grammars, once, on a thread: ghost text must not wait for that."""
    await asyncio.to_thread(importlib.import_module, "fimble.actions.service")


def place_of(
    ls: FimbleServer, document: DocumentSnapshot, where: types.Range, diagnostics: Sequence[types.Diagnostic]
) -> Place:
    """Give the place of a range; positions outside the text are moved into it."""
    from fimble.actions.place import Place, Problem

    def offset(position: types.Position) -> int:
        return to_offset(document, Position(position.line, position.character), ls.documents.encoding)

    start, end = sorted((offset(where.start), offset(where.end)))
    problems = tuple(
        Problem(str(getattr(d.message, "value", d.message)), offset(d.range.start), offset(d.range.end), d.source or "")
        for d in diagnostics
    )
    return Place(document, start, end, problems)


async def run_action(ls: FimbleServer, wanted: Wanted, *, counted: bool = True) -> Outcome:
    """Run one action with progress in the editor; a cancelled request or a cancelled progress stops it.

    `counted` False is for a client of which nobody learns what it makes of the result.
    """
    await load_actions()
    from fimble.actions.outcome import ActionResult, Refusal
    from fimble.actions.plan import Wish
    from fimble.actions.workspace import DiskWorkspace

    assert ls.app is not None
    # As of the request's arrival: its range means that text, not one that was edited a moment later.
    document = arrival().document
    if document is None or document.uri != wanted.uri:
        document = ls.documents.get(wanted.uri)
    if document is None:
        message = f"cannot run `{wanted.name}`: {ls.documents.why_absent(wanted.uri)}"
        return Outcome(ActionResult(wanted.name, wanted.name, refusal=Refusal.DOCUMENT_CLOSED, message=message), None)
    if wanted.version is not None and wanted.version != document.version:
        message = "the document was changed since this was offered"
        refused = ActionResult(wanted.name, wanted.name, refusal=Refusal.DOCUMENT_CHANGED, message=message)
        return Outcome(replace(refused, hint="open the menu again"), document)
    problems = [types.Diagnostic(range=where, message=message) for message, where in wanted.problems]
    place = place_of(ls, document, wanted.range, problems)
    token = CancelToken()
    progress = await Progress.begin(ls, wanted.name, token)
    wish = Wish(DiskWorkspace(ls.documents.get), wanted.instruction, ls.locale)
    try:
        result = await ls.app.actions.run(
            wanted.name, place, wish, token, lambda: ls.documents.get(wanted.uri), progress.report
        )
    finally:
        # The last word of a progress may come while the task is being cancelled.
        progress.end()
    newest = ls.documents.get(wanted.uri)
    if counted:
        _count(ls, result, newest, document.language)
    ls.last_answer = result.raw_text or ls.last_answer
    return Outcome(result, newest)


def _count(ls: FimbleServer, result: ActionResult, newest: DocumentSnapshot | None, language: str) -> None:
    """Count a refusal, or watch what becomes of the edit. Prose and new files are only counted as shown."""
    from fimble.actions.catalogue import BY_NAME
    from fimble.actions.outcome import Refusal, apply_edits

    if result.action not in BY_NAME or result.refusal is Refusal.CANCELLED:
        return
    if result.refusal is not None:
        ls.count(result.action, language, Event.REFUSED)
    elif result.edits and newest is not None:
        after = apply_edits(newest.text, result.edits)
        ls.edit_outcomes.proposed(newest.uri, result.action, language, newest.text, after)
    else:
        ls.count(result.action, language, Event.SHOWN)


def tell(ls: FimbleServer, result: ActionResult) -> None:
    """Say why nothing was done; where the client can, offer to look at the model's own answer."""
    if result.refusal is None or result.refusal.value == "cancelled":
        return
    hint = f"; {result.hint}" if result.hint else ""
    message = f"fimble: {result.message}{hint}"
    can_ask = get_capability(ls.client_capabilities, "window.show_message", None) is not None
    if result.raw_text and can_ask:
        ls.spawn(_ask_to_show(ls, message, result.raw_text))
    else:
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Warning, message))


async def _ask_to_show(ls: FimbleServer, message: str, raw_text: str) -> None:
    params = types.ShowMessageRequestParams(
        types.MessageType.Warning, message, actions=[types.MessageActionItem(title=SHOW_ANSWER)]
    )
    try:
        chosen = await ls.window_show_message_request_async(params)
    except JsonRpcException:
        LOGGER.warning("the client refuses `window/showMessageRequest`")
        return
    if chosen is not None and chosen.title == SHOW_ANSWER:
        await shown.show(ls, "answer.md", raw_text)


class Progress:
    """A progress in the editor, or none where the client has no place for it."""

    def __init__(self, ls: FimbleServer, token: str | None) -> None:
        self._ls = ls
        self._token = token
        self._ended = False

    @classmethod
    async def begin(cls, ls: FimbleServer, name: str, cancel: CancelToken) -> Progress:
        from fimble.actions.catalogue import BY_NAME

        if not get_capability(ls.client_capabilities, "window.work_done_progress", False):
            return cls(ls, None)
        token = f"fimble-action-{next(_numbers)}"
        try:
            await ls.work_done_progress.create_async(token)
        except JsonRpcException:
            return cls(ls, None)
        loop = asyncio.get_running_loop()

        def cancelled(future: Any) -> None:
            if future.cancelled() and not loop.is_closed():
                cancel.cancel()

        ls.work_done_progress.tokens[token].add_done_callback(cancelled)
        title = BY_NAME[name].title if name in BY_NAME else name
        ls.work_done_progress.begin(token, types.WorkDoneProgressBegin(title=title, cancellable=True))
        return cls(ls, token)

    def report(self, text: str) -> None:
        """Show the line being written."""
        lines = text.rstrip().split("\n")
        if self._token is not None and not self._ended and lines[-1].strip():
            message = f"{len(lines)}: {lines[-1].strip()[:PARTIAL_CHARS_MAX]}"
            self._ls.work_done_progress.report(self._token, types.WorkDoneProgressReport(message=message))

    def end(self) -> None:
        if self._token is not None and not self._ended:
            self._ended = True
            self._ls.work_done_progress.end(self._token, types.WorkDoneProgressEnd())
            self._ls.work_done_progress.tokens.pop(self._token, None)


def _range_data(where: types.Range) -> dict[str, Any]:
    ends = {"start": where.start, "end": where.end}
    return {name: {"line": place.line, "character": place.character} for name, place in ends.items()}


def _range(raw: Any) -> types.Range | None:
    try:
        places = [types.Position(int(raw[end]["line"]), int(raw[end]["character"])) for end in ("start", "end")]
    except (KeyError, TypeError, ValueError):
        return None
    return types.Range(*places) if all(p.line >= 0 and p.character >= 0 for p in places) else None


def _plain(value: Any) -> Any:
    """Give dicts for the named tuples that pygls makes of untyped objects."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value
