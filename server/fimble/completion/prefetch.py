"""What the model does while the user reads: write what comes next, read heads. Shows nothing; gives way to keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from fimble.completion.launch import Launcher, goes_ahead
from fimble.completion.look import look
from fimble.completion.question import Question
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.completion.type_ahead import TypeAhead, writes_others
from fimble.engine.power import on_battery
from fimble.errors import FimbleError
from fimble.log import LOGGER
from fimble.postprocess.site import opens_block, survey
from fimble.records import CancelToken, CursorWindow, Decline, DeclineReason, Trigger
from fimble.text.document import DocumentSnapshot

IDLE_S = 0.15
"""So long nobody has asked for anything before something is prepared."""
HEAD_IDLE_S = 0.5
"""Reading a head cannot be interrupted: it waits for a longer pause."""
ROOM_IDLE_S = 1.2
"""Where the model has no room for a head, it drops others only when nobody has typed for a second."""
DOCUMENT_CHARS_MAX = 500_000
"""The document as it will be is put together anew, which is not worth it for a very long one."""
LINE_IS_WHOLE = (DeclineReason.EMPTY_ANSWER, DeclineReason.ONLY_WHITESPACE)


class Prefetcher:
    """Belongs to one service; all methods are called on its event loop."""

    def __init__(self, is_on_battery: Callable[[], bool] = on_battery) -> None:
        # A timer costs a key less than a task does, and most keys come before it is over.
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._type_ahead = TypeAhead()
        self._is_on_battery = is_on_battery

    def interrupt(self, uri: str) -> None:
        """Take that somebody asks: what was about to be begun is not."""
        for begun in (self._timers.pop(uri, None), self._tasks.pop(uri, None)):
            if begun is not None:
                begun.cancel()
        self._type_ahead.interrupt(uri)

    def after(self, request: CompletionRequest, result: CompletionResult, launcher: Launcher, is_whole: bool) -> None:
        """Use the time until the next request; `is_whole`: what was answered goes to the end of its line or block."""
        uri = request.document.uri
        self.interrupt(uri)
        has_answer = bool(result.completions) or (result.decline is not None and result.decline.reason in LINE_IS_WHOLE)
        is_wanted = goes_ahead(launcher.settings) or launcher.keeps_heads
        if not has_answer or not is_wanted or len(request.document.text) > DOCUMENT_CHARS_MAX:
            return
        loop = asyncio.get_running_loop()
        self._timers[uri] = loop.call_later(IDLE_S, self._begin, request, result, launcher, is_whole)

    def _begin(self, request: CompletionRequest, result: CompletionResult, launcher: Launcher, is_whole: bool) -> None:
        uri = request.document.uri
        self._timers.pop(uri, None)
        here = replace(request, trigger=Trigger.AUTOMATIC, selected=None, n_alternatives=1)
        ahead = here if is_whole else None
        if is_whole and result.completions:
            document, offset = taken(result)
            ahead = replace(here, document=document, offset=offset)
        self._tasks[uri] = task = asyncio.create_task(self._idle(here, ahead, launcher, bool(result.completions)))
        task.add_done_callback(lambda done: self._forget(uri, done))

    def _forget(self, uri: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(uri) is task:
            del self._tasks[uri]

    async def _idle(
        self, here: CompletionRequest, ahead: CompletionRequest | None, launcher: Launcher, is_shown: bool
    ) -> None:
        if not launcher.settings.ahead_on_battery and await asyncio.to_thread(self._is_on_battery):
            return
        if ahead is here:
            # The line is whole, and its generation held, perhaps: what comes next needs no prompt to be read.
            window, _ = look(here, launcher.settings, launcher.engine.state)
            launcher.go_past(here.document.uri, window)
        try:
            # First the head, since what is prepared needs to read it too.
            await self._warm(here, launcher)
            if ahead is not None and goes_ahead(launcher.settings):
                prepare(ahead, launcher)
            question = question_at(here, launcher) if is_shown and writes_others(launcher) else None
            if question is not None:
                self._type_ahead.begin(question, launcher)
        except FimbleError as error:
            LOGGER.debug("nothing is prepared: %s", error.message)

    async def _warm(self, here: CompletionRequest, launcher: Launcher) -> None:
        """Have the head for the place read if it is wanted."""
        question = question_at(here, launcher)
        head = launcher.wanted_head(question) if question is not None else None
        if head is None:
            return
        uri, flights = here.document.uri, launcher.flights
        await asyncio.sleep(HEAD_IDLE_S - IDLE_S)
        flight = flights.under_way(uri)
        if flight is not None:
            await flight.at_rest()
        if not await flights.heads.warm(uri, head, launcher.engine):
            await asyncio.sleep(ROOM_IDLE_S - HEAD_IDLE_S)
            await flights.heads.warm(uri, head, launcher.engine)


def question_at(request: CompletionRequest, launcher: Launcher) -> Question | None:
    """Give what would be asked at a place; None where nothing would."""
    window, ask = look(request, launcher.settings, launcher.engine.state, launcher.limits)
    if isinstance(ask, Decline):
        return None
    return Question(request, window, ask, CancelToken(), time.monotonic() + launcher.settings.deadline_ms / 1000)


def taken(result: CompletionResult) -> tuple[DocumentSnapshot, int]:
    """Give the document once the first suggestion is taken, and the cursor's offset in it."""
    first, document = result.completions[0], result.document
    text = document.text[: first.start_offset] + first.text + document.text[first.end_offset :]
    offset = first.start_offset + len(first.text)
    return DocumentSnapshot(document.uri, document.language, document.version, text), offset


def prepare(request: CompletionRequest, launcher: Launcher) -> bool:
    """Have the answer for a place to come decoded, if it is not there; says whether that was begun.

    Errors: PromptBudgetError, EngineError.
    """
    found = place_ahead(request, launcher)
    return found is not None and launcher.ahead(*found)


def place_ahead(request: CompletionRequest, launcher: Launcher) -> tuple[Question, CursorWindow, str] | None:
    """Give what is asked at a place to come, the window of that place, and what is given behind it; None: nothing is.

    At the end of a line it is the next line that comes, with the indentation an editor gives it. It is kept as
    text behind the line's end, so that it is found whatever indentation is typed.
    """
    document, offset = request.document, request.offset
    if len(document.text) > DOCUMENT_CHARS_MAX:
        return None
    base, _ = look(request, launcher.settings, launcher.engine.state, launcher.limits)
    given = ""
    if base.ends_line:
        given = "\n" + indent_behind(base)
        typed = given.replace("\n", document.end_of_line)
        text = document.text[:offset] + typed + document.text[offset:]
        later = DocumentSnapshot(document.uri, document.language, document.version, text)
        request = replace(request, document=later, offset=offset + len(typed))
    question = question_at(request, launcher)
    if question is None:
        return None
    ask = question.ask
    ask = replace(ask, decoded_tokens_max=min(ask.decoded_tokens_max, launcher.settings.line_tokens_max))
    return replace(question, ask=ask), base, given


def indent_behind(window: CursorWindow) -> str:
    """Give the indentation that an editor starts the line behind the cursor's with."""
    line = window.line_prefix
    indent = line[: len(line) - len(line.lstrip())]
    return indent + window.indent_unit if opens_block(line, survey(window).facts) else indent
