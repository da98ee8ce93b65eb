"""The generations under way, one for each document: kept while what is typed agrees with them, else stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fimble.completion.cache import CompletionCache
from fimble.completion.course import Goal
from fimble.completion.flight import Flight
from fimble.completion.heads import Heads
from fimble.completion.ledger import Ledger
from fimble.completion.question import Question
from fimble.completion.stop import StopRules
from fimble.engine.contract import Engine
from fimble.records import CursorWindow, DeclineReason, StopReason

GRACE_S = 0.3
"""A generation whose request was cancelled for a key that agrees with it waits so long for the next request."""
UNCHANGED_GRACE_S = 0.05
"""The key may come right behind the cancellation: as long as a token or so takes."""


class Flights:
    """Belongs to one service; all methods are called on its event loop."""

    def __init__(self, cache: CompletionCache, ledger: Ledger, heads: Heads | None = None) -> None:
        self.cache = cache
        self.ledger = ledger
        self.heads = heads or Heads()
        self._flights: dict[str, Flight] = {}

    def under_way(self, uri: str) -> Flight | None:
        """Give what is decoded for a document now, whoever waits for it."""
        return self._flights.get(uri)

    def launch(self, uri: str, flight: Flight, engine: Engine, deadline_at_s: float) -> Flight:
        """Start a generation in the place of the one that runs for the document."""
        self.stop(uri)
        self._flights[uri] = flight
        flight.launch(engine, deadline_at_s, self._settling(uri))
        return flight

    def claim(self, question: Question, *, reuses: bool, rules: StopRules | None = None) -> tuple[Flight, Goal] | None:
        """Give the generation that answers this place too, if there is one; one that is held goes on.

        `reuses`: one that was never held will do, too. `rules` end the answer in place of the window's own.
        """
        flight = self._flights.get(question.request.document.uri)
        if flight is None or not (reuses or flight.was_held):
            return None
        goal = flight.claim(question, rules)
        if goal is None:
            return None
        if len(goal.typed) > (flight.source.ahead_from_offset or len(goal.typed)):
            self.ledger.followed(flight.source)
        return flight, goal

    def answers(self, uri: str, window: CursorWindow, reuses: bool) -> bool:
        """Say whether what is decoded now may answer this place too: then there is nothing to wait for."""
        flight = self._flights.get(uri)
        return flight is not None and (reuses or flight.was_held) and flight.may_answer(window)

    def review(self, uri: str, window: CursorWindow, reuses: bool) -> None:
        """Stop what cannot be of use any more now that the cursor is here; `reuses`: what keys agree with is."""
        flight = self._flights.get(uri)
        if flight is not None and not (self.answers(uri, window, reuses) or flight.leads_to(window)):
            self.stop(uri)

    def abandon(self, uri: str, typed: str | None) -> None:
        """Take that the newest request was cancelled; `typed` is what was inserted at its place since, if that is all.

        An editor cancels before it asks anew: where the key agrees, the next request is waited for.
        """
        flight = self._flights.get(uri)
        if flight is None:
            return
        if typed is None or not flight.agrees_with(typed):
            self.stop(uri, DeclineReason.CANCELLED)
            return
        flight.give_up()
        grace_s = GRACE_S if typed else UNCHANGED_GRACE_S
        asyncio.get_running_loop().call_later(grace_s, self._end_of_grace, uri, flight, flight.goal)

    def stop(self, uri: str, reason: DeclineReason = DeclineReason.SUPERSEDED) -> None:
        """Stop what runs for a document within one token."""
        flight = self._flights.pop(uri, None)
        if flight is not None:
            flight.stop(reason)

    def wake(self, uri: str) -> None:
        """Have those who wait look at their own tokens."""
        flight = self._flights.get(uri)
        if flight is not None:
            flight.wake()

    def keep(self, uri: str, flight: Flight) -> None:
        """Have the whole answer in the cache once it is there."""
        flight.is_kept = True
        if flight.source.ahead_from_offset is not None:
            self.ledger.finished(flight.source)
        if flight.is_over or flight.is_held:
            self._put(uri, flight)

    def _settling(self, uri: str) -> Callable[[Flight], None]:
        def settled(flight: Flight) -> None:
            if flight.is_kept:
                self._put(uri, flight)
            generation, n_decoded = flight.generation, flight.n_decoded_tokens
            # One that was cancelled while it waited for its turn says nothing about the head.
            if flight.is_held or (generation and (n_decoded or generation.stop_reason is not StopReason.CANCELLED)):
                n_kept_tokens = generation.n_kept_tokens if generation else flight.standing.n_kept_tokens
                self.heads.used(uri, flight.laid_out, n_kept_tokens)
            if not flight.is_over:
                return
            if self._flights.get(uri) is flight:
                del self._flights[uri]
            if generation is not None:
                n_tokens = max(n_decoded, generation.n_decoded_tokens)
                self.ledger.decoded(flight.source, n_tokens, len(flight.answer))

        return settled

    def _put(self, uri: str, flight: Flight) -> None:
        text, generation = flight.whole_answer, flight.generation
        if flight.has_strayed or len(text) <= len(flight.given) or not (generation or flight.is_held):
            return
        ended = generation.stop_reason if generation is not None else StopReason.RULE
        if ended is StopReason.CANCELLED and not flight.is_whole:
            return
        reason = StopReason.RULE if flight.goal.end_offset is not None else ended
        self.cache.put(uri, flight.window, text, flight.ask.shape, reason, flight.source)

    def _end_of_grace(self, uri: str, flight: Flight, goal: Goal) -> None:
        if self._flights.get(uri) is flight and flight.goal is goal:
            self.stop(uri, DeclineReason.CANCELLED)
