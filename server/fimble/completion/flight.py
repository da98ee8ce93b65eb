"""One generation under way, whoever waits for it: requests come and go while it is decoded. Starts and cuts nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from fimble.completion.agreement import agree, typed_since
from fimble.completion.begun_word import BegunWord
from fimble.completion.ledger import Source
from fimble.completion.policy import Ask
from fimble.completion.stop import StopRules
from fimble.engine.contract import Engine, GenerationRequest, Priority, Standing
from fimble.errors import EngineError
from fimble.fim.prompt import LaidOutPrompt
from fimble.records import CancelToken, CursorWindow, Generation, Shape, StopReason

AHEAD_TOKENS_MAX = 24
"""Tokens that may be decoded past what was asked for."""
AHEAD_CHARS_MAX = 160
LINE_END = "line end"


@dataclass(slots=True)
class Goal:
    """What somebody waits for: the answer behind what is `typed` of it, until the rules say it is enough.

    `end_offset` is where in the answer that was; None while it is not reached.
    """

    typed: str
    rules: StopRules
    end_offset: int | None = None


class Flight:
    """A generation for one place, followed on the engine's thread and waited for on the event loop.

    Its answer may be claimed by a request for a later place, as long as what was typed agrees with it.
    """

    def __init__(
        self,
        window: CursorWindow,
        ask: Ask,
        laid_out: LaidOutPrompt,
        rules: StopRules,
        *,
        given: str = "",
        goes_on: Callable[[], bool] | None = None,
        is_ahead: bool = False,
        begun: BegunWord | None = None,
    ) -> None:
        """`given` is text between the end of the window's prefix and the end of the prompt: part of the answer.

        `is_ahead`: nobody asks for it yet; it is decoded in the background, and kept.
        `begun` is the word at the cursor, which the answer then begins with where the model knows one that agrees.
        `goes_on` is asked, on the engine's thread, whether the line after a finished one is to be decoded too.
        """
        self.window = window
        self.ask = ask
        self.laid_out = laid_out
        self._written = laid_out
        self._begun = begun
        self.given = given
        self.token = CancelToken()
        self.answer = given
        self.n_decoded_tokens = 0
        self.has_strayed = False
        self.generation: Generation | None = None
        self.source = Source(ahead_from_offset=0 if is_ahead else None)
        self.is_kept = is_ahead
        self.goal = Goal(given, rules)
        self.launched_at_s = time.monotonic()
        self._priority = Priority.PREFETCH if is_ahead else Priority.TYPING
        self._goes_on = goes_on
        self._first_goal = self.goal
        self._standing = Standing(is_ahead)
        self._error: Exception | None = None
        self._wants_parts = False
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._first_token_at_s: float | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        return self.generation is not None or self._error is not None

    @property
    def whole_answer(self) -> str:
        """The answer without what was begun past its end and not finished."""
        start_offset, generation = self.source.ahead_from_offset, self.generation
        if start_offset is None or generation is None or generation.stop_reason is StopReason.END_TOKEN:
            return self.answer
        if start_offset == 0 and self.ask.shape is Shape.LINE and self.is_whole:
            return self.answer
        return self.answer[: max(start_offset, self.answer.rfind("\n") + 1)]

    @property
    def may_go_on(self) -> bool:
        """Whether the place is one where a next line can be decoded behind the one asked for."""
        is_line_end = self.ask.shape is Shape.LINE and not self.window.line_suffix.strip()
        return self._goes_on is not None and is_line_end and not self.given

    def launch(self, engine: Engine, deadline_at_s: float, landed: Callable[[Flight], None]) -> None:
        """Start; `landed` is called on the event loop when it is over."""
        self.launched_at_s = time.monotonic()
        n_ahead_tokens = AHEAD_TOKENS_MAX if self.may_go_on else 0
        request = GenerationRequest(
            prompt=self.laid_out.prompt,
            n_tokens_max=self.ask.decoded_tokens_max + n_ahead_tokens,
            priority=self._priority,
            token=self.token,
            should_stop=self._should_stop,
            deadline_at_s=deadline_at_s,
            standing=self._standing,
        )
        self.task = asyncio.create_task(self._fly(engine, request, landed))

    def claim(self, window: CursorWindow, ask: Ask) -> Goal | None:
        """Wait for the answer at a later place; None if what was typed does not lead there."""
        if self.is_over or not self.may_answer(window):
            return None
        typed = typed_since(self.window, window) or ""
        goal = Goal(typed, StopRules.build(window, ask))
        rest = self.answer[len(typed) :]
        if rest and goal.rules.should_stop(rest):
            goal.end_offset = len(self.answer)
        else:
            self._standing.in_background = False
        self.goal = goal
        return goal

    def may_answer(self, window: CursorWindow) -> bool:
        """Say whether what was typed since agrees with it so far."""
        typed = typed_since(self.window, window)
        return typed is not None and not self.token.cancelled and not self.has_strayed and agree(self.answer, typed)

    @property
    def is_whole(self) -> bool:
        """Whether all that was asked for is there, whatever ended it."""
        return self.goal.end_offset is not None

    def leads_to(self, window: CursorWindow) -> bool:
        """Say whether the place of this generation lies ahead of `window`, within what may be typed there."""
        return not self.token.cancelled and typed_since(window, self.window) is not None

    def agrees_with(self, typed: str) -> bool:
        """Say whether what is decoded so far may go on as what was typed behind the place last claimed for."""
        return not self.token.cancelled and agree(self.answer, self.goal.typed + typed)

    def give_up(self) -> None:
        """Let it go on in the background: nobody waits any more."""
        self._standing.in_background = True

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
            if goal.end_offset is not None and (self.is_over or self._standing.in_background):
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

    async def _fly(self, engine: Engine, request: GenerationRequest, landed: Callable[[Flight], None]) -> None:
        try:
            if self._begun is not None and (word := await self._begun.begin(request, engine)) is not None:
                self._written, request = self._begun.laid_out, word
            [row] = await engine.generate(request)
            self.answer = self.given + self._written.answer(row.text)
            self.n_decoded_tokens = row.n_decoded_tokens
            self.generation = row
        except asyncio.CancelledError:
            self._error = EngineError("the session has ended")
            raise
        except Exception as error:
            self._error = error
        finally:
            self.wake()
            landed(self)

    def _should_stop(self, text: str) -> bool:
        """Follow the answer on the engine's thread; says whether it is enough."""
        if self._first_token_at_s is None:
            self._first_token_at_s = time.monotonic()
        answer, goal = self.given + self._written.answer(text), self.goal
        self.n_decoded_tokens += 1
        self.answer = answer
        if not agree(answer, goal.typed):
            self.has_strayed = True
            return True
        if goal.end_offset is None:
            rest = answer[len(goal.typed) :]
            why = goal.rules.reason(rest) if rest else ""
            if not why:
                if self._wants_parts:
                    self._tell()
                return False
            goal.end_offset = len(answer)
            goes_on = self._goes_on if self.may_go_on and why == LINE_END else None
            if goes_on is None or self.source.ahead_from_offset is not None or not goes_on():
                return True
            self.source.ahead_from_offset = len(goal.typed) + max(0, rest.rfind("\n"))
            self._standing.in_background = True
            self._tell()
            return False
        return self._is_far_enough(answer)

    def _is_far_enough(self, answer: str) -> bool:
        """Say whether the line after the one asked for is whole, or too long."""
        ahead = answer[self.source.ahead_from_offset or 0 :].lstrip("\n")
        return "\n" in ahead or len(ahead) > AHEAD_CHARS_MAX

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
            self._loop.call_soon_threadsafe(self.wake)

    def _generation(self, goal: Goal, stop_reason: StopReason) -> Generation:
        """Give what was decoded behind what is typed, as far as it goes."""
        end_offset = len(self.answer) if goal.end_offset is None else goal.end_offset
        text = self.answer[len(goal.typed) : end_offset] if agree(self.answer, goal.typed) else ""
        now_s = time.monotonic()
        whole = self.generation
        first_at_s = self._first_token_at_s or now_s
        return Generation(
            text=text,
            n_decoded_tokens=self.n_decoded_tokens,
            stop_reason=stop_reason,
            queue_ms=whole.queue_ms if whole else 0.0,
            first_token_ms=whole.first_token_ms if whole else (first_at_s - self.launched_at_s) * 1000,
            total_ms=whole.total_ms if whole else (now_s - self.launched_at_s) * 1000,
        )
