"""One generation under way, whoever waits for it: requests come and go while it is decoded. Starts and cuts nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from fimble.completion.agreement import agree, typed_since
from fimble.completion.begun_word import BegunWord
from fimble.completion.course import AHEAD_TOKENS_MAX, Course, Goal, Start
from fimble.completion.question import Question
from fimble.completion.stop import StopRules
from fimble.engine.contract import Engine, GenerationRequest, Priority
from fimble.errors import EngineError
from fimble.records import CancelToken, CursorWindow, DeclineReason, Generation, StopReason


class Flight(Course):
    """A generation for one place, followed on the engine's thread and waited for on the event loop.

    Its answer may be claimed by a request for a later place, as long as what was typed agrees with it.
    """

    def __init__(self, start: Start) -> None:
        super().__init__(start)
        self._begun = start.begun
        self.is_kept = False
        self._priority = Priority.PREFETCH if start.is_ahead else Priority.TYPING
        self._first_goal = self.goal
        self._error: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        return self.generation is not None or self._error is not None

    def launch(self, engine: Engine, deadline_at_s: float, settled: Callable[[Flight], None]) -> None:
        """Start; `settled` is called on the event loop each time it is held, and when it is over."""
        self.launched_at_s = time.monotonic()
        self._settled = settled
        n_ahead_tokens = AHEAD_TOKENS_MAX if self.may_go_on else 0
        request = GenerationRequest(
            prompt=self.laid_out.prompt,
            n_tokens_max=self.ask.decoded_tokens_max + n_ahead_tokens,
            priority=self._priority,
            token=self.token,
            should_stop=self.follow,
            deadline_at_s=deadline_at_s,
            standing=self.standing,
            n_more_tokens_max=self.n_more_tokens_max,
        )
        self.task = asyncio.create_task(self._fly(engine, request))

    def claim(self, question: Question, rules: StopRules | None = None) -> Goal | None:
        """Wait for the answer at a later place, until its own `rules` end it or those given.

        None if what was typed does not lead there.
        """
        window, ask = question.window, question.ask
        if self.is_over or not self.may_answer(window):
            return None
        typed = typed_since(self.window, window) or ""
        goal = Goal(typed, rules or StopRules.build(window, ask), question.whole_lines_at_s)
        self.take_up(goal, question.deadline_at_s, ask.decoded_tokens_max)
        return goal

    def may_answer(self, window: CursorWindow) -> bool:
        """Say whether what was typed since agrees with it so far."""
        typed = typed_since(self.window, window)
        return typed is not None and not self.token.cancelled and not self.has_strayed and agree(self.answer, typed)

    def ends_line(self, window: CursorWindow) -> bool:
        """Say whether the line ends at the cursor, as far as is known from what is decoded."""
        typed = typed_since(self.window, window)
        return typed is not None and self.answer.startswith(f"{typed}\n")

    def leads_to(self, window: CursorWindow) -> bool:
        """Say whether the place of this generation lies ahead of `window`, within what may be typed there."""
        return not self.token.cancelled and typed_since(window, self.window) is not None

    def agrees_with(self, typed: str) -> bool:
        """Say whether what is decoded so far may go on as what was typed behind the place last claimed for."""
        return not self.token.cancelled and agree(self.answer, self.goal.typed + typed)

    def give_up(self) -> None:
        """Let it go on in the background: nobody waits any more."""
        self.standing.in_background = True

    def end_hold(self) -> None:
        """Have it end if it is held: nobody will go on from there."""
        self.standing.end()

    def stop(self, reason: DeclineReason) -> None:
        """Have it stop within one token."""
        self.token.cancel(reason)
        self.standing.tell()
        self.wake()

    async def at_rest(self) -> None:
        """Wait until nothing is decoded for it: it is over, or held."""
        while not self.is_over and not self.is_held:
            await self._changed.wait()

    def wake(self) -> None:
        """Have those who wait look again; belongs to the event loop."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def reached(
        self, goal: Goal, token: CancelToken, part_at_s: float | None, is_worth: Callable[[str], bool]
    ) -> Generation | None:
        """Wait until the goal is reached; gives the answer behind what is typed, or None if it leads elsewhere.

        From `part_at_s` on, a part that `is_worth` showing is enough; its stop reason is `DEADLINE`.
        Errors: those of the engine.
        """
        while True:
            changed = self._changed
            if token.cancelled:
                return self._generation(goal, StopReason.CANCELLED)
            if self._error is not None:
                raise self._error
            if goal.end_offset is not None and (self.is_over or self.standing.in_background):
                return self._generation(goal, StopReason.RULE)
            if self.generation is not None:
                usable = self._is_usable_end(goal, self.generation.stop_reason)
                return self._generation(goal, self.generation.stop_reason) if usable else None
            now_s, wait_s = time.monotonic(), None
            if part_at_s is not None:
                self._wants_parts = now_s >= part_at_s
                wait_s = None if self._wants_parts else part_at_s - now_s
                if self._wants_parts and is_worth(self.answer[len(goal.typed) :]):
                    return self._generation(goal, StopReason.DEADLINE)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await changed.wait()

    async def _fly(self, engine: Engine, request: GenerationRequest) -> None:
        try:
            if self._begun is not None:
                request = await self._begin(self._begun, request, engine)
            [row] = await engine.generate(request)
            self.answer = self.given + self.written.answer(row.text)
            self.n_decoded_tokens = row.n_decoded_tokens
            self.generation = row
        except asyncio.CancelledError:
            self._error = EngineError("the session has ended")
            raise
        except Exception as error:
            self._error = error
        finally:
            self._look()

    async def _begin(self, begun: BegunWord, request: GenerationRequest, engine: Engine) -> GenerationRequest:
        """Give what is to be decoded: behind the word that is known to come, where one is."""
        word = await begun.begin(request, engine, lambda: self.goal.typed)
        if word is None:
            return request
        self.written = begun.laid_out
        # Known before anything is decoded behind it: a key against it need not wait for that.
        self.answer = self.written.answer(engine.tokenizer.decode(word.starts[0]))
        return word

    def _is_usable_end(self, goal: Goal, stop_reason: StopReason) -> bool:
        """Say whether the end of the generation is one for this goal too, and not only for the place it began at."""
        if self.has_strayed or not self.answer.startswith(goal.typed):
            return False
        if goal is self._first_goal:
            return True
        is_end = stop_reason is StopReason.END_TOKEN
        return is_end or (
            stop_reason not in (StopReason.RULE, StopReason.CANCELLED) and len(self.answer) > len(goal.typed)
        )

    def _tell(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        self.wake()
        if self.is_over or self.is_held:
            self._settled(self)

    def _generation(self, goal: Goal, stop_reason: StopReason) -> Generation:
        """Give what was decoded behind what is typed, as far as it goes."""
        end_offset = len(self.answer) if goal.end_offset is None else goal.end_offset
        text = self.answer[len(goal.typed) : end_offset] if agree(self.answer, goal.typed) else ""
        now_s = time.monotonic()
        # The engine's own times of one that was held are those of others, with the waiting between.
        whole = None if self.was_held else self.generation
        first_at_s = self.first_token_at_s or now_s
        return Generation(
            text=text,
            n_decoded_tokens=self.n_decoded_tokens - self.n_earlier_tokens,
            stop_reason=stop_reason,
            queue_ms=whole.queue_ms if whole else 0.0,
            first_token_ms=whole.first_token_ms if whole else (first_at_s - self.launched_at_s) * 1000,
            total_ms=whole.total_ms if whole else (now_s - self.launched_at_s) * 1000,
        )
