"""Plays one script on one side in real time: keys, pauses, mistakes, acceptances, stops. Measures by a clock alone."""

from __future__ import annotations

import random
import time

from fimble.bench.replay.agreement import agrees, begins_right, first_words, taken_chars
from fimble.bench.replay.record import STOP_LIMIT_MS, Pause, Played, Stop, StopKind
from fimble.bench.replay.rhythm import Rhythm
from fimble.bench.replay.script import Script, key_at, n_keys
from fimble.bench.replay.side import Side
from fimble.errors import EngineError

LATER_MS = 500.0
SHARE_ACCEPT_STOPS = 0.5
"""Of acceptances behind which the typist stops, drawn by the place."""


class Player:
    """The typist at one side. `stop_limit_ms` is how long a stop is waited at."""

    def __init__(
        self, side: Side, script: Script, rhythm: Rhythm, seed: int, stop_limit_ms: float = STOP_LIMIT_MS
    ) -> None:
        self._side, self._script, self._rhythm, self._seed = side, script, rhythm, seed
        self._stop_limit_ms = stop_limit_ms
        self._offset = 0
        self._accepted_at_s: float | None = None
        self._pending_mid_stop = False
        self._n_accept_stops = 0
        self._n_accept_stops_max = len(script.line_stop_offsets)
        typed = script.text[: script.typed_chars]
        self.played = Played(script.path, script.text, n_keys(typed))

    def play(self) -> Played:
        """Type the script from its top to its end. Errors: EngineError if the side is gone."""
        script = self._script
        started_at_s = time.perf_counter()
        self._side.open(script.path, script.language, script.before, script.after)
        while self._offset < script.typed_chars:
            if self._side.screen.failure:
                raise EngineError(f"side `{self._side.name}`: {self._side.screen.failure}", "run `fimble doctor`")
            self._advance()
        self.played.shows = list(self._side.screen.shows)
        self._side.close_file()
        self.played.duration_s = time.perf_counter() - started_at_s
        return self.played

    @property
    def _rest(self) -> str:
        return self._script.text[self._offset :]

    def _advance(self) -> None:
        """Let the time before the next key pass, and press it, unless a suggestion is taken meanwhile."""
        text, offset = self._script.text, self._offset
        key = key_at(text, offset)
        # Behind the indentation that came with Enter a line is begun, as behind Enter itself.
        begins_line = not text[:offset].rpartition("\n")[2].strip()
        before = "\n" if begins_line else text[offset - 1]
        gap = self._rhythm.gap(offset, key, before, self._accepted_at_s is not None)
        self._accepted_at_s = None
        taken = self._take_within(gap.duration_ms)
        if gap.is_pause:
            # A pause that ends in taking a suggestion was covered by it.
            ghost = self._side.screen.ghost
            is_covered, is_right = agrees(ghost), begins_right(ghost, self._rest)
            taken_too = taken is not None
            self.played.pauses.append(
                Pause(offset, round(gap.duration_ms, 1), taken_too or is_covered, taken_too or is_right)
            )
        if taken is not None:
            self._take(taken)
            return
        if gap.mistake:
            self._make_mistake(gap.mistake)
        ghost = self._side.screen.ghost
        predicted = ghost is not None and ghost.text.startswith(key) and not ghost.n_replaced_chars
        pressed_at_s = time.perf_counter()
        self._side.type(key)
        self.played.n_typed_keys += 1
        self._offset += len(key)
        self._stop_behind(key, predicted, pressed_at_s)

    def _stop_behind(self, key: str, predicted: bool, pressed_at_s: float) -> None:
        script = self._script
        self._pending_mid_stop = (self._pending_mid_stop and key[0] != "\n") or self._offset in script.mid_stop_offsets
        if self._offset in script.line_stop_offsets:
            self._stop(StopKind.LINE_START, pressed_at_s)
        elif self._pending_mid_stop and not predicted and first_words(self._rest)[:1] not in ("", "\n"):
            self._pending_mid_stop = False
            self._stop(StopKind.MID_LINE, pressed_at_s)

    def _make_mistake(self, wrong: str) -> None:
        """Press a wrong key, see it, take it back; both keys count."""
        self._side.type(wrong)
        time.sleep(self._rhythm.key_ms(self._offset, 1) / 1000)
        self._side.erase(1)
        time.sleep(self._rhythm.key_ms(self._offset, 2) / 1000)
        self.played.n_typed_keys += 2

    def _take_within(self, duration_ms: float) -> str | None:
        """Let time pass; give what to take of a right suggestion as soon as one was visible for the reaction time."""
        screen = self._side.screen
        until_s = time.perf_counter() + duration_ms / 1000
        with screen.changed:
            while (now_s := time.perf_counter()) < until_s:
                ghost, n_chars = screen.ghost, taken_chars(screen.ghost, self._rest)
                if ghost is not None and n_chars:
                    take_at_s = ghost.since_s + self._rhythm.reaction_ms / 1000
                    if take_at_s <= now_s:
                        return ghost.text[:n_chars]
                    screen.changed.wait(min(until_s, take_at_s) - now_s)
                else:
                    screen.changed.wait(until_s - now_s)
        return None

    def _take(self, text: str) -> None:
        """Take `text` of the suggestion, which is right."""
        n_chars = len(text)
        taken_at_s = time.perf_counter()
        self._side.accept(text)
        self.played.n_accepts += 1
        self.played.n_accepted_chars += n_chars
        self.played.n_typed_keys += 1
        self._offset += n_chars
        self._accepted_at_s = taken_at_s
        self._pending_mid_stop = False
        draws = random.Random(f"{self._seed}:{self._script.path}:{self._offset}:accept")
        is_stop = draws.random() < SHARE_ACCEPT_STOPS and self._n_accept_stops < self._n_accept_stops_max
        if is_stop and self._offset < self._script.typed_chars:
            self._n_accept_stops += 1
            self._stop(StopKind.AFTER_ACCEPT, taken_at_s)

    def _stop(self, kind: StopKind, from_s: float) -> None:
        """Wait until a suggestion that agrees is visible, up to the limit; look at it for half a second more."""
        screen, rest = self._side.screen, self._rest
        agreed_ms, visible_chars = self._wait_for_ghost(from_s)
        if agreed_ms is None:
            self.played.stops.append(Stop(kind, self._offset, None))
            return
        time.sleep(LATER_MS / 1000)
        ghost = screen.ghost
        is_right, later_chars = begins_right(ghost, rest), len(ghost.text) if ghost else 0
        self.played.stops.append(Stop(kind, self._offset, agreed_ms, is_right, visible_chars, later_chars))
        # It was looked at long enough: what is right is taken, the rest typed through.
        if ghost is not None and (n_chars := taken_chars(ghost, rest)):
            self._take(ghost.text[:n_chars])

    def _wait_for_ghost(self, from_s: float) -> tuple[float | None, int]:
        """Give the ms from `from_s` until a suggestion was visible, None at the limit, and its length."""
        screen = self._side.screen
        until_s = from_s + self._stop_limit_ms / 1000
        with screen.changed:
            while not agrees(screen.ghost):
                left_s = until_s - time.perf_counter()
                if left_s <= 0 or screen.failure:
                    return None, 0
                screen.changed.wait(left_s)
            took_ms = round((time.perf_counter() - from_s) * 1000, 2)
            return took_ms, len(screen.ghost.text) if screen.ghost else 0
