"""Has the model write: lays out prompts, starts generations, waits for them. What is shown is decided elsewhere."""

from __future__ import annotations

import time

from fimble.completion.begun_word import BegunWord, before_word
from fimble.completion.candidate import Candidate, judge
from fimble.completion.course import Goal, Start
from fimble.completion.flight import Flight
from fimble.completion.flights import Flights
from fimble.completion.limits import Limits, derive
from fimble.completion.part import whole_part
from fimble.completion.question import Question
from fimble.completion.stop import StopRules
from fimble.completion.tracing import TraceBuilder
from fimble.engine.contract import Engine
from fimble.engine.heads import MIB
from fimble.fim import prompt as fim_prompt
from fimble.fim.head import PinnedHead
from fimble.fim.prompt import LaidOutPrompt
from fimble.manifest import STATE_BYTES_PER_TOKEN, FimTokens
from fimble.records import CursorWindow, Generation, StopReason, Trigger
from fimble.settings import Settings

PART_CHARS_MIN = 12


class Launcher:
    """Starts generations for one service, with the settings and the engine of the moment."""

    def __init__(
        self,
        engine: Engine,
        fim: FimTokens,
        settings: Settings,
        flights: Flights,
        n_state_bytes_per_token: int = STATE_BYTES_PER_TOKEN,
    ) -> None:
        self.engine = engine
        self.settings = settings
        self.flights = flights
        self.cache = flights.cache
        self._fim = fim
        self._n_state_bytes_per_token = n_state_bytes_per_token

    def lay_out(self, question: Question, window: CursorWindow | None = None) -> LaidOutPrompt:
        """Lay out the prompt for the question's window, or another, behind a head that is kept if one pays.

        Errors: PromptBudgetError, EngineError.
        """
        ask, request, window = question.ask, question.request, window or question.window
        if self.keeps_heads and request.trigger is Trigger.AUTOMATIC:
            uri, snippets = request.document.uri, request.snippets
            laid_out = self.flights.heads.lay_out(
                uri, window, ask, self._fim, self.engine, snippets, self._head_tokens_max
            )
            if laid_out is not None:
                return laid_out
        return fim_prompt.build(window, self._fim, self.engine.tokenizer, ask.whole_budget, request.snippets)

    def wanted_head(self, question: Question) -> PinnedHead | None:
        """Give the head that the model should keep for this place, if it has none that serves. Errors: EngineError."""
        if not self.keeps_heads:
            return None
        request, heads = question.request, self.flights.heads
        return heads.wanted(
            request.document.uri,
            question.window,
            question.ask,
            self._fim,
            self.engine,
            request.snippets,
            self._head_tokens_max,
        )

    @property
    def limits(self) -> Limits:
        """What holds now, by the settings and by what the engine was measured to do."""
        return derive(self.settings, self.engine.figures)

    @property
    def _head_tokens_max(self) -> int:
        n_tokens = self.settings.head_mib_max * MIB // self._n_state_bytes_per_token
        measured = self.limits.head_tokens_max
        return n_tokens if measured is None else min(n_tokens, measured)

    @property
    def keeps_heads(self) -> bool:
        """Whether heads are wanted at all."""
        return self.settings.head_mib_max > 0 and not self.settings.is_remote

    @property
    def holds(self) -> bool:
        """Whether a finished line's generation is held for the next one; a server elsewhere cannot be stopped so."""
        return self.settings.hold and not self.settings.is_remote

    async def first(self, question: Question, trace: TraceBuilder) -> tuple[Flight, Goal, Generation]:
        """Give the model's own answer, or a part of it from the target on; what it is writing already if that agrees.

        The generation's text is what comes after the cursor.
        Errors: PromptBudgetError, EngineError, ModelError.
        """
        row = None
        claimed = self.flights.claim(question, reuses=self.settings.reuse_running)
        if claimed is not None:
            flight, goal = claimed
            trace.cache = "held" if flight.was_held else "in-flight"
            row = await self._wait(question, flight, goal, trace)
        if row is None:
            trace.cache = "miss"
            flight = self._launch(question)
            goal = flight.goal
            row = await self._wait(question, flight, goal, trace)
        if row is None:
            # A key has led the generation to another place: that key's request answers.
            row = Generation("", 0, StopReason.CANCELLED)
        if row.stop_reason is StopReason.DEADLINE and not flight.is_over:
            trace.cache = "part"
        return flight, goal, row

    async def past_line(
        self, question: Question, rules: StopRules, trace: TraceBuilder, *, reuses: bool = False
    ) -> tuple[Flight, Goal, Generation] | None:
        """Give what a generation goes on with that came past this line's end or is held there; None without such a one.

        `reuses`: it was begun for this, whatever the settings say. Errors: those of the engine.
        """
        flight = self.flights.under_way(question.request.document.uri)
        if flight is None or not flight.ends_line(question.window):
            return None
        claimed = self.flights.claim(question, reuses=reuses or self.settings.reuse_running, rules=rules)
        if claimed is None:
            return None
        row = await self._wait(question, *claimed, trace)
        return None if row is None else (*claimed, row)

    def ahead(self, question: Question, base: CursorWindow, given: str, *, is_asked: bool = False) -> bool:
        """Have the model write what comes `given` characters behind `base`; says whether it does.

        In the background, as long as what is prepared is used; unless `is_asked`: then somebody waits for it.
        Errors: PromptBudgetError, EngineError.
        """
        uri = question.request.document.uri
        if self.flights.under_way(uri) is not None or self.cache.lookup(uri, question.window) is not None:
            return False
        if not is_asked and not self.may_go_ahead():
            return False
        rules = StopRules.build(question.window, question.ask)
        start = Start(base, question.ask, self.lay_out(question), rules, given=given, is_ahead=not is_asked)
        flight = Flight(start)
        flight.is_kept = True  # whoever comes to the place finds it
        self.flights.launch(uri, flight, self.engine, question.deadline_at_s)
        return True

    def go_past(self, uri: str, window: CursorWindow) -> bool:
        """Have the line behind the cursor's decoded too, if a generation is held there; says whether it is."""
        flight = self.flights.under_way(uri)
        if flight is None or not goes_ahead(self.settings) or not self.may_go_ahead():
            return False
        return flight.go_past(window, time.monotonic() + self.settings.deadline_ms / 1000)

    def may_go_ahead(self) -> bool:
        """Say whether so much of what was prepared is used that more may be."""
        return self.flights.ledger.may_go_ahead(self.settings.ahead_wasted_per_100_tokens)

    def _launch(self, question: Question) -> Flight:
        ask, window, request = question.ask, question.window, question.request
        is_one = request.n_alternatives == 1
        goes_on = self._may_run_on if goes_ahead(self.settings) and is_one else None
        start = Start(
            window,
            ask,
            self.lay_out(question),
            StopRules.build(window, ask),
            goes_on=goes_on,
            holds=self.holds and is_one,
            begun=self._begun_word(question),
            whole_lines_at_s=question.whole_lines_at_s,
        )
        return self.flights.launch(request.document.uri, Flight(start), self.engine, question.deadline_at_s)

    def _begun_word(self, question: Question) -> BegunWord | None:
        """Give the word at the cursor, behind a head that is kept: else the prompt would be read twice."""
        before = before_word(question.window) if self.settings.begun_words and self.keeps_heads else None
        if before is None:
            return None
        window, chars = before
        laid_out = self.lay_out(question, window)
        is_read = self.flights.heads.is_read(question.request.document.uri, laid_out)
        return BegunWord.of(laid_out, chars) if is_read else None

    async def _wait(self, question: Question, flight: Flight, goal: Goal, trace: TraceBuilder) -> Generation | None:
        """Wait for the answer, or from the target on for a part of it that can be shown."""
        laid_out, request = flight.laid_out, question.request
        target_s = self.settings.target_ms / 1000 if self.settings.show_parts else 0.0
        trace.laid_out(laid_out.n_prefix_tokens, laid_out.n_suffix_tokens, len(laid_out.prompt.head))
        part_at_s = None
        if target_s and request.n_alternatives == 1 and request.trigger is Trigger.AUTOMATIC:
            part_at_s = min(flight.launched_at_s + target_s, question.part_at_s or float("inf"))

        def is_worth(text: str) -> bool:
            part = judge_part(text, question)
            # The editor does not ask again by itself: a word or two are shown only if more would take too long.
            is_late = part_at_s is not None and time.monotonic() >= part_at_s + target_s
            return part.fits and (is_late or len(part.text.strip()) >= PART_CHARS_MIN)

        return await flight.reached(goal, question.token, part_at_s, is_worth)

    def _may_run_on(self) -> bool:
        """Say whether the next line is decoded behind a finished one, rather than once it is wanted."""
        return self.may_go_ahead() and (self.flights.ledger.is_followed or not self.holds)


def judge_part(text: str, question: Question) -> Candidate:
    """Judge as much of an unfinished answer as is whole."""
    part = whole_part(text)
    return judge(Generation(part, 0, StopReason.DEADLINE), part, question.window, question.ask.shape)


def goes_ahead(settings: Settings) -> bool:
    """Say whether text may be decoded that nobody asked for yet; a remote server is never asked for it."""
    return settings.prefetch and not settings.is_remote
