"""Ghost text from request to answer: the one orchestrator. Owns order, timing and cancellation; decides nothing itself.

Policy decides whether and how much, context cuts, `fim` lays out, the engine decodes, `postprocess` filters.
No protocol types, no model library, no disk, no network.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from fimble.completion.answer import AT_LINE_END, Answerer
from fimble.completion.cache import CompletionCache
from fimble.completion.flights import Flights
from fimble.completion.launch import Launcher
from fimble.completion.ledger import Ledger
from fimble.completion.look import look
from fimble.completion.next_line import NEXT_LINE, next_line
from fimble.completion.prefetch import Prefetcher
from fimble.completion.question import Question
from fimble.completion.rebase import inserted_at, rebase
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.completion.rhythm import Rhythm
from fimble.completion.tracing import TraceBuilder
from fimble.context import exclusion
from fimble.engine.contract import Engine
from fimble.errors import FimbleError, PromptBudgetError
from fimble.log import LOGGER
from fimble.manifest import ModelManifest
from fimble.metrics import Metrics
from fimble.records import CancelToken, Completion, CursorWindow, Decline, DeclineReason, RequestTrace, Trigger
from fimble.settings import Settings
from fimble.statistics.tally import GHOST_TEXT, Event, NoTally, Tally
from fimble.text.document import DocumentSnapshot

TRACES_MAX = 64
ACCEPTABLE_MAX = 256

Newest = Callable[[], DocumentSnapshot | None]


@dataclass(slots=True)
class _Session:
    """What the service remembers between requests of one document."""

    running: CancelToken | None = None
    trace: RequestTrace | None = None


@dataclass(slots=True)
class CompletionService:
    """Answers completion requests of one editor session.

    Newest wins: a request ends the one before it for the same document, and takes over what is decoded for it
    where the keys agree with that.
    """

    engine: Engine
    manifest: ModelManifest
    settings: Settings
    metrics: Metrics = field(default_factory=Metrics)
    cache: CompletionCache = field(default_factory=CompletionCache)
    ignored: exclusion.IgnoredFiles | None = None
    tally: Tally = field(default_factory=NoTally)
    _sessions: OrderedDict[str, _Session] = field(default_factory=OrderedDict)
    _shown: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _rhythm: Rhythm = field(default_factory=Rhythm)
    _prefetcher: Prefetcher = field(default_factory=Prefetcher)
    _flights: Flights = field(init=False)

    def __post_init__(self) -> None:
        self._flights = Flights(self.cache, Ledger(self.metrics))

    async def complete(self, request: CompletionRequest, token: CancelToken, newest: Newest) -> CompletionResult:
        """Give what to show at the place, or why nothing.

        `newest` gives the document as it is when the answer is ready (None: closed). Never raises for user
        text. If the task is cancelled, the token is set and the engine stops within one decoded token.
        """
        uri = request.document.uri
        session = self._session(uri)
        self._prefetcher.interrupt(uri)
        if session.running is not None:
            session.running.cancel(DeclineReason.SUPERSEDED)
            self._flights.wake(uri)
        session.running = token
        trace = TraceBuilder(next(self._ids), request, self.manifest.model_id, time.monotonic())
        try:
            outcome = await self._answer(request, token, trace)
            result = self._checked(request, outcome, token, newest, trace)
        except asyncio.CancelledError:
            token.cancel()
            now = newest()
            if session.running is token:
                self._flights.abandon(uri, inserted_at(request.offset, request.document, now) if now else None)
            result = self._declined(request.document, Decline(token.reason or DeclineReason.CANCELLED), trace)
            self._finish(session, result)
            raise
        finally:
            if session.running is token:
                session.running = None
        self._finish(session, result)
        if trace.source is not None and result.completions:
            self._flights.ledger.shown(trace.source, trace.n_shown_chars)
        if not token.cancelled:
            self._prefetcher.after(request, result, self._launcher(), trace.is_whole)
        return result

    def explain(self, uri: str | None = None) -> RequestTrace | None:
        """Give the trace of the last request, of one document or of any."""
        if uri is not None:
            session = self._sessions.get(uri)
            return session.trace if session else None
        for session in reversed(self._sessions.values()):
            if session.trace is not None:
                return session.trace
        return None

    def accepted(self, completion_id: str) -> None:
        """Count a suggestion as taken; an unknown id (an old session's) is ignored."""
        language = self._shown.pop(completion_id, None)
        if language is not None:
            self.metrics.count("completion.accepted")
            self.tally.count(GHOST_TEXT, language, Event.ACCEPTED)

    def displayed(self, completion_id: str) -> None:
        """Count a suggestion as drawn, where the editor tells."""
        if completion_id in self._shown:
            self.metrics.count("completion.displayed")
            self.tally.count(GHOST_TEXT, self._shown[completion_id], Event.DISPLAYED)

    def partly_accepted(self, completion_id: str) -> None:
        """Count a suggestion of which a word or a line was taken."""
        if completion_id in self._shown:
            self.metrics.count("completion.partly_accepted")
            self.tally.count(GHOST_TEXT, self._shown[completion_id], Event.PARTLY_ACCEPTED)

    def closed(self, uri: str) -> None:
        """Forget a document and stop what runs for it."""
        self.cache.forget(uri)
        session = self._sessions.pop(uri, None)
        if session is not None and session.running is not None:
            session.running.cancel()
        self._prefetcher.interrupt(uri)
        self._flights.stop(uri, DeclineReason.CANCELLED)
        self._flights.heads.forget(uri)

    async def _answer(
        self, request: CompletionRequest, token: CancelToken, trace: TraceBuilder
    ) -> list[Completion] | Decline:
        uri = request.document.uri
        refusal = self._refusal(request)
        if refusal is None and self.ignored is not None:
            rule = await self.ignored.why(uri, self.settings.ignore_files)
            refusal = Decline(DeclineReason.PATH_OFF, rule) if rule is not None else None
        if refusal is not None:
            self._flights.stop(uri)
            return refusal
        self._rhythm.key(uri, request.offset, time.monotonic())
        launcher = self._launcher()
        limits = launcher.limits
        trace.calibrated = str(limits) if limits.is_measured else ""
        cursor, ask = look(request, self.settings, self.engine.state, limits)
        self._flights.review(uri, cursor, self.settings.reuse_running)
        trace.part("policy")
        now_s, settings, answerer = time.monotonic(), self.settings, Answerer(launcher)
        deadline_at_s = now_s + settings.deadline_ms / 1000
        if isinstance(ask, Decline):
            if ask.reason is not DeclineReason.NOTHING_TO_COMPLETE or not cursor.ends_line:
                return self._with_engine_error(ask)
            return await self._following(request, cursor, token, deadline_at_s, launcher, trace) or ask
        question = Question.asked_at(now_s, request, cursor, ask, token, settings)
        hit = answerer.from_cache(question, trace)
        if hit is not None:
            if trace.cache != AT_LINE_END:
                return hit
            return await self._following(request, cursor, token, deadline_at_s, launcher, trace) or hit
        # A client that cancels ends the wait at once; a superseded request wakes, sees its token and leaves.
        if not self._flights.answers(uri, cursor, settings.reuse_running):
            delay_ms = self._rhythm.delay_ms(ask.delay_ms) if settings.adaptive_delay else ask.delay_ms
            await asyncio.sleep(delay_ms / 1000)
        trace.part("delay")
        if token.cancelled:
            return Decline(token.reason or DeclineReason.CANCELLED)
        asked_at_s = time.monotonic()
        try:
            outcome = await answerer.from_engine(question, trace)
            if not token.cancelled:
                self._rhythm.answered((time.monotonic() - asked_at_s) * 1000)
            return outcome
        except PromptBudgetError as error:
            return Decline(DeclineReason.PROMPT_BUDGET, error.message)
        except FimbleError as error:
            LOGGER.error("engine failed: %s", error.message)
            return Decline(DeclineReason.ENGINE_FAILED, error.message)

    async def _following(
        self,
        request: CompletionRequest,
        cursor: CursorWindow,
        token: CancelToken,
        deadline_at_s: float,
        launcher: Launcher,
        trace: TraceBuilder,
    ) -> list[Completion] | None:
        """Go on behind a line that is whole; gives the next one where this one was taken just now."""
        settings = self.settings
        is_asked = request.trigger is not Trigger.AUTOMATIC
        if not is_asked:
            launcher.go_past(request.document.uri, cursor)
        if is_asked or not self._rhythm.after_insertion or not settings.next_line or settings.multiline == "never":
            return None
        try:
            return await next_line(request, cursor, token, deadline_at_s, launcher, trace)
        except FimbleError as error:
            LOGGER.debug("nothing follows: %s", error.message)
            return None

    def _launcher(self) -> Launcher:
        known = self.manifest
        return Launcher(self.engine, known.fim, self.settings, self._flights, known.n_state_bytes_per_token)

    def _refusal(self, request: CompletionRequest) -> Decline | None:
        """Refuse what may not be read and where there is no place, before any text is looked at."""
        glob = exclusion.excluded_by(request.document.uri, self.settings.globs_off)
        if glob is not None:
            return Decline(DeclineReason.PATH_OFF, glob)
        if not 0 <= request.offset <= len(request.document.text):
            return Decline(DeclineReason.POSITION_OUTSIDE)
        return None

    def _with_engine_error(self, decline: Decline) -> Decline:
        """Say what is wrong with the model where that is the reason."""
        error = self.engine.error
        if error is None or decline.reason not in (DeclineReason.MODEL_NOT_INSTALLED, DeclineReason.ENGINE_FAILED):
            return decline
        return Decline(decline.reason, f"{error.message} ({error.hint})" if error.hint else error.message)

    def _checked(
        self,
        request: CompletionRequest,
        outcome: list[Completion] | Decline,
        token: CancelToken,
        newest: Newest,
        trace: TraceBuilder,
    ) -> CompletionResult:
        """Check the answer against the newest snapshot, and carry it over if the user typed along."""
        asked = request.document
        if isinstance(outcome, Decline):
            return self._declined(asked, outcome, trace)
        if token.cancelled:
            return self._declined(asked, Decline(token.reason or DeclineReason.CANCELLED), trace)
        now = newest()
        if now is None:
            return self._declined(asked, Decline(DeclineReason.DOCUMENT_NOT_OPEN), trace)
        moved = [m for c in outcome if (m := rebase(c, asked, now, request.offset)) is not None]
        if not moved:
            return self._declined(now, Decline(DeclineReason.DOCUMENT_CHANGED), trace)
        for completion in moved:
            self._shown[completion.completion_id] = asked.language
            while len(self._shown) > ACCEPTABLE_MAX:
                self._shown.popitem(last=False)
        return CompletionResult(now, tuple(moved), None, trace.build("shown"))

    def _declined(self, document: DocumentSnapshot, decline: Decline, trace: TraceBuilder) -> CompletionResult:
        return CompletionResult(document, (), decline, trace.build("declined", decline))

    def _finish(self, session: _Session, result: CompletionResult) -> None:
        trace = result.trace
        session.trace = trace
        self.metrics.count(f"completion.{trace.outcome}" + (f".{trace.reason}" if trace.reason else ""))
        if trace.outcome == "shown" and trace.cache in ("miss", "held", "type-ahead", NEXT_LINE):
            # What is typed through a suggestion shows the same one again.
            self.tally.count(GHOST_TEXT, trace.language, Event.SHOWN)
        self.metrics.observe_ms("completion.total", trace.parts_ms.get("total", 0.0))
        LOGGER.info(
            "completion %d %s %s total=%.0fms queue=%.0fms first_token=%.0fms tokens=%d+%d",
            trace.request_id,
            trace.outcome,
            trace.reason or trace.shape,
            trace.parts_ms.get("total", 0.0),
            trace.parts_ms.get("queue", 0.0),
            trace.parts_ms.get("first_token", 0.0),
            trace.n_prefix_tokens + trace.n_suffix_tokens,
            trace.n_decoded_tokens,
        )

    def _session(self, uri: str) -> _Session:
        session = self._sessions.setdefault(uri, _Session())
        self._sessions.move_to_end(uri)
        while len(self._sessions) > TRACES_MAX:
            self._sessions.popitem(last=False)
        return session
