"""Has the model write what comes after a suggestion while the user reads it. Shows nothing; gives way to every key."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from fimble.completion.launch import Launcher, goes_ahead
from fimble.completion.look import look
from fimble.completion.question import Question
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.errors import FimbleError
from fimble.log import LOGGER
from fimble.postprocess.site import opens_block, survey
from fimble.records import CancelToken, CursorWindow, Decline, DeclineReason, Trigger
from fimble.text.document import DocumentSnapshot

IDLE_S = 0.15
"""So long nobody has asked for anything before something is prepared."""
DOCUMENT_CHARS_MAX = 500_000
"""The document as it will be is put together anew, which is not worth it for a very long one."""


class Prefetcher:
    """Belongs to one service; all methods are called on its event loop."""

    def __init__(self) -> None:
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def interrupt(self, uri: str) -> None:
        """Take that somebody asks: what was about to be prepared is not."""
        timer = self._timers.pop(uri, None)
        if timer is not None:
            timer.cancel()

    def after(self, request: CompletionRequest, result: CompletionResult, launcher: Launcher) -> None:
        """Prepare, if nothing is asked for a while, what comes once the user has taken what is shown."""
        if not goes_ahead(launcher.settings) or len(request.document.text) > DOCUMENT_CHARS_MAX:
            return
        if result.completions:
            document, offset = taken(result)
        elif result.decline is not None and result.decline.reason is DeclineReason.EMPTY_ANSWER:
            document, offset = request.document, request.offset
        else:
            return
        ahead = replace(request, document=document, offset=offset, trigger=Trigger.AUTOMATIC, selected=None)
        uri, loop = request.document.uri, asyncio.get_running_loop()
        self.interrupt(uri)
        self._timers[uri] = loop.call_later(IDLE_S, self._begin, ahead, launcher)

    def _begin(self, request: CompletionRequest, launcher: Launcher) -> None:
        self._timers.pop(request.document.uri, None)
        try:
            prepare(request, launcher)
        except FimbleError as error:
            LOGGER.debug("nothing is prepared: %s", error.message)


def taken(result: CompletionResult) -> tuple[DocumentSnapshot, int]:
    """Give the document once the first suggestion is taken, and the cursor's offset in it."""
    first, document = result.completions[0], result.document
    text = document.text[: first.start_offset] + first.text + document.text[first.end_offset :]
    offset = first.start_offset + len(first.text)
    return DocumentSnapshot(document.uri, document.language, document.version, text), offset


def prepare(request: CompletionRequest, launcher: Launcher) -> bool:
    """Have the answer for a place to come decoded, if it is not there; says whether that was begun.

    At the end of a line it is the next line that comes, with the indentation an editor gives it. It is kept as
    text behind the line's end, so that it is found whatever indentation is typed.
    Errors: PromptBudgetError, EngineError.
    """
    document, offset = request.document, request.offset
    state, settings = launcher.engine.state, launcher.settings
    base, ask = look(request, settings, state)
    window, given = base, ""
    if base.line_prefix.strip() and not base.line_suffix.strip():
        given = "\n" + indent_behind(base)
        typed = given.replace("\n", document.end_of_line)
        text = document.text[:offset] + typed + document.text[offset:]
        later = DocumentSnapshot(document.uri, document.language, document.version, text)
        request = replace(request, document=later, offset=offset + len(typed))
        window, ask = look(request, settings, state)
    if isinstance(ask, Decline):
        return False
    ask = replace(ask, decoded_tokens_max=min(ask.decoded_tokens_max, settings.line_tokens_max))
    deadline_at_s = time.monotonic() + settings.deadline_ms / 1000
    question = Question(request, window, ask, CancelToken(), deadline_at_s)
    return launcher.ahead(question, base, given)


def indent_behind(window: CursorWindow) -> str:
    """Give the indentation that an editor starts the line behind the cursor's with."""
    line = window.line_prefix
    indent = line[: len(line) - len(line.lstrip())]
    return indent + window.indent_unit if opens_block(line, survey(window).facts) else indent
