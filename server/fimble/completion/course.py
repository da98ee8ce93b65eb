"""The text of one generation as it is decoded: where it is enough, whether it is held there. Waits for nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from fimble.completion.agreement import agree, typed_since
from fimble.completion.begun_word import BegunWord
from fimble.completion.ledger import Source
from fimble.completion.policy import Ask
from fimble.completion.stop import StopRules
from fimble.engine.standing import Standing
from fimble.fim.prompt import LaidOutPrompt
from fimble.records import CancelToken, CursorWindow, Generation, Shape, StopReason

AHEAD_TOKENS_MAX = 24
"""Tokens that may be decoded past what was asked for."""
AHEAD_CHARS_MAX = 160
HELD_TOKENS_MAX = 192
"""Tokens that one prompt's state may grow by while it is held and goes on; then the text is read anew."""
OPEN_BLOCKS_S = 1.5
"""So much later than a block that is late is one shown up to a line within its braces, as the deadline would show it
soon, in the middle of a line and with nothing held behind it."""
LINE_END = "line end"
ENOUGH_LINES = "lines"
GOES_PAST = (LINE_END, ENOUGH_LINES)
"""Rules behind whose end the text goes on. Behind the end of a scope stands, as a rule, what is there already."""


@dataclass(slots=True)
class Goal:
    """What somebody waits for: the answer behind what is `typed` of it, until the rules say it is enough.

    From `whole_lines_at_s` on it is enough wherever a line ends with nothing left open, as if the rules said so; from
    `OPEN_BLOCKS_S` later on, within braces too.
    `end_offset` is where in the answer that was; None while it is not reached.
    """

    typed: str
    rules: StopRules
    whole_lines_at_s: float | None = None
    end_offset: int | None = None

    def reason(self, rest: str) -> str:
        """Name what ends the answer behind `rest`, the text behind what is typed, or give an empty string."""
        if why := self.rules.reason(rest):
            return why
        if self.whole_lines_at_s is None or (late_s := time.monotonic() - self.whole_lines_at_s) < 0:
            return ""
        may_end = self.rules.may_end_with(rest, leaves_blocks_open=late_s >= OPEN_BLOCKS_S)
        return ENOUGH_LINES if may_end else ""


@dataclass(frozen=True, slots=True)
class Start:
    """What a generation begins with: `laid_out` is the prompt for the place, `rules` end the first answer.

    `given` is text between the end of the window's prefix and the end of the prompt: part of the answer.
    `goes_on` is asked, on the engine's thread, whether the line after a finished one is to be decoded too.
    Where it is not, and the generation `holds`, it waits there for who comes to the end of the line.
    `is_ahead`: nobody asks for it yet; it is decoded in the background.
    `begun` is the word at the cursor, which the answer begins with where the model knows one that agrees.
    """

    window: CursorWindow
    ask: Ask
    laid_out: LaidOutPrompt
    rules: StopRules
    given: str = ""
    goes_on: Callable[[], bool] | None = None
    holds: bool = False
    is_ahead: bool = False
    begun: BegunWord | None = None
    whole_lines_at_s: float | None = None


class Course:
    """Followed on the engine's thread by `follow`; what it says there is read on the event loop.

    What is `written`, on from where the text is decoded, is laid out for the place at first, and may become another.
    """

    def __init__(self, start: Start) -> None:
        given, is_ahead = start.given, start.is_ahead
        self.window = start.window
        self.ask = start.ask
        self.laid_out = start.laid_out
        self.written = start.laid_out
        self.given = given
        self.token = CancelToken()
        self.answer = given
        self.n_decoded_tokens = 0
        self.has_strayed = False
        self.was_held = False
        self.generation: Generation | None = None
        self.source = Source(ahead_from_offset=0 if is_ahead else None)
        self.goal = Goal(given, start.rules, start.whole_lines_at_s)
        self.standing = Standing(is_ahead)
        self.launched_at_s = time.monotonic()
        self.first_token_at_s: float | None = None
        self.n_earlier_tokens = 0
        self._goes_on = start.goes_on
        self._holds = start.holds
        self._wants_parts = False
        self._line_offset = 0
        # Who claims it and the thread that decodes must agree on whether it was held before that or behind.
        self._lock = threading.Lock()

    @property
    def whole_answer(self) -> str:
        """The answer without what was begun past its end and not finished."""
        start_offset, generation = self.source.ahead_from_offset, self.generation
        if start_offset is None or (generation is not None and generation.stop_reason is StopReason.END_TOKEN):
            return self.answer
        if start_offset == 0 and self.ask.shape is Shape.LINE and self.is_whole:
            return self.answer
        return self.answer[: max(start_offset, self.answer.rfind("\n") + 1)]

    @property
    def is_whole(self) -> bool:
        """Whether all that was asked for is there, whatever ended it."""
        return self.goal.end_offset is not None

    @property
    def is_held(self) -> bool:
        """Whether it waits behind a finished line for what comes next."""
        return self.standing.is_held and self.generation is None and not self.token.cancelled

    @property
    def may_go_on(self) -> bool:
        """Whether the place is one where a next line can be decoded behind the one asked for."""
        return self._goes_on is not None and self.ask.shape is Shape.LINE and self._is_open_behind

    @property
    def n_more_tokens_max(self) -> int:
        """How many tokens it may decode once it was held, in all."""
        return HELD_TOKENS_MAX if self._holds and self._is_open_behind else 0

    @property
    def _is_open_behind(self) -> bool:
        return not self.window.line_suffix.strip() and not self.given

    def take_up(self, goal: Goal, deadline_at_s: float, n_tokens_max: int) -> None:
        """Take that somebody waits for another goal; one that is held goes on if it is not reached already."""
        with self._lock:
            rest = self.answer[len(goal.typed) :]
            if rest and goal.rules.should_stop(rest):
                goal.end_offset = len(self.answer)
                self._forget_times()
            elif self.is_held:
                self._forget_times()
                self.standing.go_on(deadline_at_s, n_tokens_max, in_background=False)
            else:
                self.standing.in_background = False
            self.goal = goal

    def go_past(self, window: CursorWindow, deadline_at_s: float) -> bool:
        """Decode the next line in the background, if the cursor is where this is held; says whether it is."""
        typed = typed_since(self.window, window)
        with self._lock:
            if typed is None or not self.is_held or self.answer.rstrip("\n") != typed:
                return False
            self._forget_times()
            self.standing.go_on(deadline_at_s, self.ask.decoded_tokens_max, in_background=True)
        return True

    def follow(self, text: str) -> bool:
        """Take what is decoded; says whether it is enough. Called on the engine's thread."""
        if self.first_token_at_s is None:
            self.first_token_at_s = time.monotonic()
        answer, goal = self.given + self.written.answer(text), self.goal
        self.n_decoded_tokens += 1
        self.answer = answer
        if not agree(answer, goal.typed):
            self.has_strayed = True
            return True
        if goal.end_offset is not None:
            return self._is_far_enough(answer) and not (self._holds and self._waits(goal))
        rest = answer[len(goal.typed) :]
        why = goal.reason(rest) if rest else ""
        if not why:
            if self._wants_parts:
                self._tell()
            return False
        goal.end_offset = len(answer)
        return not self._goes_past(goal, why, len(goal.typed) + max(0, rest.rfind("\n")))

    def _goes_past(self, goal: Goal, why: str, line_offset: int) -> bool:
        """Go on behind the end of what was asked for, or wait there; says whether it does."""
        is_first = self.source.ahead_from_offset is None
        may_go_on = self.may_go_on and why == LINE_END and is_first
        goes_on = may_go_on and self._goes_on is not None and self._goes_on()
        if not goes_on and not (self._holds and self._is_open_behind and why in GOES_PAST):
            return False
        if is_first:
            self.source.ahead_from_offset = line_offset
        if not goes_on:
            return self._waits(goal)
        self._line_offset = line_offset
        with self._lock:
            if self.goal is goal:
                self.standing.in_background = True
        self._tell()
        return True

    def _waits(self, goal: Goal) -> bool:
        """Be held here, unless somebody has just claimed more; says that the generation is not to end."""
        with self._lock:
            if self.goal is goal:
                self._line_offset = len(self.answer)
                self.was_held = True
                self.standing.hold()
        self._tell()
        return True

    def _is_far_enough(self, answer: str) -> bool:
        """Say whether the line after the one asked for is whole, or too long."""
        ahead = answer[self._line_offset :].lstrip("\n")
        return "\n" in ahead or len(ahead) > AHEAD_CHARS_MAX

    def _forget_times(self) -> None:
        """Take that somebody waits from now on, whatever was done before for others."""
        if self.was_held:
            self.launched_at_s, self.first_token_at_s = time.monotonic(), None
            self.n_earlier_tokens = self.n_decoded_tokens

    def _tell(self) -> None:
        """Have the event loop look."""
        raise NotImplementedError
