"""What may be used of the text around a place, and what to ask for there. Pure; reads the snapshot alone."""

from __future__ import annotations

from fimble.completion.limits import Limits
from fimble.completion.policy import Ask, PolicyFacts, decide
from fimble.completion.request import CompletionRequest
from fimble.context import secrets, window
from fimble.engine.contract import EngineState
from fimble.records import CursorWindow, Decline
from fimble.settings import Settings


def look(
    request: CompletionRequest, settings: Settings, engine_state: EngineState, limits: Limits | None = None
) -> tuple[CursorWindow, Ask | Decline]:
    """Give the window around the place, without secrets, and what to ask for there, or why nothing."""
    document = request.document
    cut = window.cut(
        document,
        request.offset,
        indent_unit=request.indent_unit,
        tab_width_columns=request.tab_width_columns,
    )
    cursor = secrets.masked(cut)
    line = document.line_of(request.offset)
    facts = PolicyFacts(
        settings=settings,
        trigger=request.trigger,
        window=cursor,
        engine_state=engine_state,
        # Characters stand for bytes here: counting bytes would read the whole document on each key.
        document_bytes=len(document.text),
        line_chars=document.line_end(line) - document.line_start(line),
        limits=limits,
    )
    return cursor, decide(facts)
