"""From a request's parameters to the completion service and back. What is suggested is not decided here."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types

from fimble.completion.request import CompletionRequest, CompletionResult, SelectedCompletion
from fimble.log import LOGGER
from fimble.lsp.protocol import arrival
from fimble.records import CancelToken, Completion, DeclineReason, RequestTrace, Snippet, Trigger
from fimble.text.document import DocumentSnapshot
from fimble.text.position import Encoding, Position, to_offset, to_offset_strict, to_position

if TYPE_CHECKING:
    from fimble.lsp.server import FimbleServer

_early_ids = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service found, and the document that its offsets mean."""

    completions: tuple[Completion, ...]
    document: DocumentSnapshot
    encoding: Encoding

    def range_of(self, start_offset: int, end_offset: int) -> types.Range:
        start = to_position(self.document, start_offset, self.encoding)
        end = to_position(self.document, end_offset, self.encoding)
        return types.Range(types.Position(*start), types.Position(*end))

    def is_on_one_line(self, completion: Completion) -> bool:
        """Say whether its range is within a line, the only kind that editors take."""
        return self.document.line_of(completion.start_offset) == self.document.line_of(completion.end_offset)


async def ask(
    ls: FimbleServer,
    uri: str,
    position: types.Position,
    trigger: Trigger,
    selected_info: types.SelectedCompletionInfo | None = None,
) -> Answer | None:
    """Answer one request from the snapshot of its arrival, or None; the reason is in the trace.

    Never raises for what the user's text or the engine does; only `CancelledError` goes through.
    """
    assert ls.app is not None
    found = arrival()
    document, encoding = found.document, ls.documents.encoding
    if document is None:
        _decline(ls, uri, trigger, DeclineReason.DOCUMENT_NOT_OPEN, ls.documents.why_absent(uri))
        return None
    offset = to_offset_strict(document, Position(position.line, position.character), encoding)
    if offset is None:
        detail = f"line {position.line} of {document.n_lines}"
        _decline(ls, uri, trigger, DeclineReason.POSITION_OUTSIDE, detail, document.language)
        return None
    ls.early_trace = None
    request = CompletionRequest(
        document=document,
        offset=offset,
        trigger=trigger,
        selected=_selected(document, selected_info, encoding),
        n_alternatives=ls.app.settings.n_alternatives if trigger is Trigger.INVOKED else 1,
        indent_unit=found.indent_unit,
        tab_width_columns=found.tab_width_columns,
        snippets=tuple(Snippet(cell.text, cell.uri) for cell in ls.documents.cells_before(uri)),
    )
    result = await _complete(ls, request)
    if result is None or not result.completions:
        return None
    return Answer(result.completions, result.document, encoding)


async def _complete(ls: FimbleServer, request: CompletionRequest) -> CompletionResult | None:
    assert ls.app is not None
    token, uri = CancelToken(), request.document.uri
    try:
        return await ls.app.completion.complete(request, token, lambda: ls.documents.get(uri))
    except asyncio.CancelledError:
        token.cancel()
        raise
    except Exception as error:
        token.cancel()
        ls.report_server_error(error, type(error))
        _decline(ls, uri, request.trigger, DeclineReason.ENGINE_FAILED, type(error).__name__, request.document.language)
        return None


def _decline(
    ls: FimbleServer, uri: str, trigger: Trigger, reason: DeclineReason, detail: str, language: str = ""
) -> None:
    """Note a request that never reached the service, for `explain` and the log."""
    LOGGER.info("completion declined: %s (%s)", reason.value, detail)
    ls.early_trace = RequestTrace(
        request_id=-next(_early_ids),
        uri=uri,
        language=language,
        trigger=trigger,
        outcome="declined",
        reason=reason.value,
        detail=detail,
    )


def _selected(
    document: DocumentSnapshot, info: types.SelectedCompletionInfo | None, encoding: Encoding
) -> SelectedCompletion | None:
    if info is None:
        return None
    start, end = info.range.start, info.range.end
    return SelectedCompletion(
        info.text,
        to_offset(document, Position(start.line, start.character), encoding),
        to_offset(document, Position(end.line, end.character), encoding),
    )
