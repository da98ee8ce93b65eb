"""What a running code action costs ghost text: the same places with nothing else running and beside an action."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fimble.bench.sample import Times, real_code, times
from fimble.bench.wire import MeasuredServer, shown_items
from fimble.errors import FimbleError

N_ACTION_TOKENS = 200
N_PLACES = 6
"""Ghost texts beside one action: it must still have tokens to decode when the last one is asked for."""
CONTEXT_LINES = 60
EXPLAINED_LINES = 25
PROGRESS = "$/progress"


@dataclass(frozen=True, slots=True)
class ActionFigures:
    """Ghost text alone and beside an action, `share_of_alone` of their p50s, and what became of the actions.

    `actions_alone` and `actions_beside` are the times of whole actions: beside ghost text they stand still for it.
    """

    n_action_tokens: int
    ghost_alone: Times
    ghost_beside: Times
    share_of_alone: float
    actions_alone: Times
    actions_beside: Times
    n_actions: int
    n_actions_done: int
    n_shown: int


@dataclass(slots=True)
class _Samples:
    alone_ms: list[float] = field(default_factory=list)
    beside_ms: list[float] = field(default_factory=list)
    actions_alone_ms: list[float] = field(default_factory=list)
    actions_beside_ms: list[float] = field(default_factory=list)
    n_done: int = 0
    n_shown: int = 0


class _Session:
    """One server, its documents and their numbers."""

    def __init__(self, server: MeasuredServer, rng: random.Random) -> None:
        self.server = server
        self.lines = real_code().split("\n")
        self.rng = rng
        self.n_documents = 0

    def open(self, lines: list[str]) -> str:
        self.n_documents += 1
        uri = f"file:///bench/actions_{self.n_documents}.py"
        item = {"uri": uri, "languageId": "python", "version": 1, "text": "\n".join(lines) + "\n"}
        self.server.notify("textDocument/didOpen", {"textDocument": item})
        return uri

    def places(self) -> list[list[str]]:
        """Draw texts whose last line is where the cursor stands."""
        starts = [n for n, line in enumerate(self.lines) if len(line.strip()) > 8 and n >= CONTEXT_LINES]
        return [self.lines[n - CONTEXT_LINES : n + 1] for n in self.rng.sample(starts, N_PLACES)]

    def ghost_ms(self, before: list[str]) -> tuple[float, bool]:
        """Ask at the end of `before` in a document of its own; gives the time and whether something was shown."""
        # A line of its own after the cursor: what the engine keeps of one document must not serve its twin.
        uri = self.open([*before, "", f"# part {self.n_documents}", "", *self.lines[:10]])
        place = {"line": len(before) - 1, "character": len(before[-1])}
        params = {"textDocument": {"uri": uri}, "position": place, "context": {"triggerKind": 2}}
        result, took_ms = self.server.timed_request("textDocument/inlineCompletion", params)
        self.server.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        return took_ms, bool(shown_items(result))

    def begin_action(self) -> int:
        """Begin an explanation, which goes on until its tokens are used up, and wait until it is being written."""
        start = self.rng.randrange(len(self.lines) - EXPLAINED_LINES)
        uri = self.open(self.lines[start : start + EXPLAINED_LINES])
        where = {"start": {"line": 0, "character": 0}, "end": {"line": EXPLAINED_LINES - 1, "character": 0}}
        # Where it could stop early it is asked to go on.
        argument = {"name": "explain", "uri": uri, "range": where, "instruction": "Explain each line at length."}
        number = self.server.begin("workspace/executeCommand", {"command": "fimble.action", "arguments": [argument]})
        self.server.wait_notification(PROGRESS, number)  # begun
        self.server.wait_notification(PROGRESS, number)  # its first text
        return number


def measure(
    n_rounds: int,
    model: str | None = None,
    seed: int = 7,
    on_round: Callable[[int], None] = lambda n_done: None,
    options: dict[str, object] | None = None,
    environment: dict[str, str] | None = None,
) -> ActionFigures:
    """Ask at the same places alone and beside an action, in turn, in one run with one server.

    Errors: FimbleError if the model is missing, the server fails, or no action lasted long enough to be beside.
    """
    settings: dict[str, object] = {"delay_ms": 0, "log_level": "error", "action_tokens_max": N_ACTION_TOKENS}
    settings |= {"deadline_ms": 60_000, "action_deadline_ms": 600_000} | ({"model": model} if model else {})
    samples = _Samples()
    capabilities = {"window": {"workDoneProgress": True}}
    with MeasuredServer(settings | (options or {}), environment, capabilities=capabilities) as server:
        server.wait_ready()
        session = _Session(server, random.Random(seed))
        session.ghost_ms(session.places()[0])  # the first one warms caches up
        for number in range(n_rounds):
            places = session.places()
            halves = [_alone, _beside] if number % 2 == 0 else [_beside, _alone]
            for half in halves:
                half(session, places, samples)
            on_round(number + 1)
    if not samples.beside_ms:
        raise FimbleError("no action ran long enough to measure beside it", "use a model that writes longer answers")
    alone, beside = times(samples.alone_ms), times(samples.beside_ms)
    return ActionFigures(
        N_ACTION_TOKENS,
        alone,
        beside,
        round(beside.p50_ms / max(alone.p50_ms, 0.001), 3),
        times(samples.actions_alone_ms),
        times(samples.actions_beside_ms),
        n_actions=2 * n_rounds,
        n_actions_done=samples.n_done,
        n_shown=samples.n_shown,
    )


def _alone(session: _Session, places: list[list[str]], samples: _Samples) -> None:
    for before in places:
        took_ms, shown = session.ghost_ms(before)
        samples.alone_ms.append(took_ms)
        samples.n_shown += shown
    said, took_ms = _finished(session, session.begin_action())
    samples.actions_alone_ms.append(took_ms)
    samples.n_done += said


def _beside(session: _Session, places: list[list[str]], samples: _Samples) -> None:
    number = session.begin_action()
    for before in places:
        if session.server.is_answered(number):
            break
        took_ms, shown = session.ghost_ms(before)
        if session.server.is_answered(number):
            break  # it ended meanwhile: that was not beside it
        samples.beside_ms.append(took_ms)
        samples.n_shown += shown
        # It must be seen to go on before it is made to wait again.
        session.server.wait_notification(PROGRESS, number)
    said, took_ms = _finished(session, number)
    samples.actions_beside_ms.append(took_ms)
    samples.n_done += said


def _finished(session: _Session, number: int) -> tuple[bool, float]:
    """Wait for an action's end; gives whether it was done, and how long the server took for it."""
    said: Any = session.server.finish(number, 600_000, "fimble.action")
    return bool(said["done"]), float(said["total_ms"])
