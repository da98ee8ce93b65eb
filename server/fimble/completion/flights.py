"""The generations under way, one for each document: kept while what is typed agrees with them, else stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fimble.completion.cache import CompletionCache
from fimble.completion.flight import Flight, Goal
from fimble.completion.heads import Heads
from fimble.completion.ledger import Ledger
from fimble.completion.policy import Ask
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
        flight.launch(engine, deadline_at_s, self._landing(uri))
        return flight

    def claim(self, uri: str, window: CursorWindow, ask: Ask) -> tuple[Flight, Goal] | None:
        """Give the generation that answers this place too, if there is one."""
        flight = self._flights.get(uri)
        goal = flight.claim(window, ask) if flight is not None else None
        return None if flight is None or goal is None else (flight, goal)

    def answers(self, uri: str, window: CursorWindow) -> bool:
        """Say whether what is decoded now may answer this place too: then there is nothing to wait for."""
        flight = self._flights.get(uri)
        return flight is not None and flight.may_answer(window)

    def review(self, uri: str, window: CursorWindow, reuses: bool) -> None:
        """Stop what cannot be of use any more now that the cursor is here; `reuses`: what keys agree with is."""
        flight = self._flights.get(uri)
        if flight is not None and not ((reuses and flight.may_answer(window)) or flight.leads_to(window)):
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
            flight.token.cancel(reason)
            flight.wake()

    def wake(self, uri: str) -> None:
        """Have those who wait look at their own tokens."""
        flight = self._flights.get(uri)
        if flight is not None:
            flight.wake()

    def keep(self, uri: str, flight: Flight) -> None:
        """Have the whole answer in the cache once it is there."""
        flight.is_kept = True
        if flight.is_over:
            self._put(uri, flight)

    def _landing(self, uri: str) -> Callable[[Flight], None]:
        def landed(flight: Flight) -> None:
            if self._flights.get(uri) is flight:
                del self._flights[uri]
            if flight.generation is not None:
                n_tokens = max(flight.n_decoded_tokens, flight.generation.n_decoded_tokens)
                self.heads.used(uri, flight.laid_out, flight.generation)
                self.ledger.decoded(flight.source, n_tokens, len(flight.answer))
            if flight.is_kept:
                self._put(uri, flight)

        return landed

    def _put(self, uri: str, flight: Flight) -> None:
        text, generation = flight.whole_answer, flight.generation
        if generation is None or flight.has_strayed or len(text) <= len(flight.given):
            return
        ended = generation.stop_reason
        if ended is StopReason.CANCELLED and not flight.is_whole:
            return
        reason = StopReason.RULE if flight.goal.end_offset is not None else ended
        self.cache.put(uri, flight.window, text, flight.ask.shape, reason, flight.source)

    def _end_of_grace(self, uri: str, flight: Flight, goal: Goal) -> None:
        if self._flights.get(uri) is flight and flight.goal is goal:
            self.stop(uri, DeclineReason.CANCELLED)
