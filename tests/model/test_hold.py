"""A line held with real weights: the next one needs no prompt to be read, and goes on from the state as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from fimble.app import Application, running
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.engine.contract import GenerationRequest, Priority
from fimble.engine.worker import EngineWorker
from fimble.records import CancelToken, FimPrompt
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot
from scripted_app import applied, until

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]

URI = "file:///held.py"
MARKED = (
    "class Point:\n"
    "    def __init__(self, left, top, right, bottom):\n"
    "        self.left = left\n"
    "        self.top = ║\n"
    "        self.is_empty = False\n"
)


@pytest.fixture
async def app() -> AsyncIterator[Application]:
    async with running(Settings(delay_ms=0, deadline_ms=60_000, prefetch=False, head_mib_max=0)) as app:
        yield app


async def ask(app: Application, marked: str) -> CompletionResult:
    document = DocumentSnapshot(URI, "python", 1, marked.replace("║", ""))
    request = CompletionRequest(document, marked.index("║"))
    return await app.completion.complete(request, CancelToken(), lambda: document)


async def test_line_behind_the_one_taken_needs_no_prompt(app: Application) -> None:
    engine = app.engine
    assert isinstance(engine, EngineWorker)
    first = await ask(app, MARKED)
    assert first.trace.cache == "miss"
    taken = applied(first)
    end = len(taken) - len("\n        self.is_empty = False\n")
    line = taken[:end].rpartition("\n")[2]
    assert line == "        self.top = top"
    flight = app.completion._flights.under_way(URI)
    assert flight is not None and flight.is_held
    second = await ask(app, taken[:end] + "║" + taken[end:])
    assert (second.trace.cache, second.completions[0].text) == ("held", "\n        self.right = right")
    assert second.trace.n_decoded_tokens > 0
    # Beside a hold others are served, and what is held goes on from where it was.
    action = GenerationRequest(FimPrompt((), tuple(engine.tokenizer.encode("def add(a, b):\n"))), 4, Priority.ACTION)
    assert (await engine.generate(action))[0].n_decoded_tokens == 4
    third = await ask(app, taken[:end] + "\n        self.right = right\n        ║" + taken[end:])
    assert (third.trace.cache, third.completions[0].text) == ("held", "self.bottom = bottom")
    app.completion.closed(URI)
    assert flight.task is not None
    async with asyncio.timeout(5):
        await flight.task
    totals = engine.usage.totals()
    assert totals["n_generations"] == 2
    n_prompt_tokens = first.trace.n_prefix_tokens + first.trace.n_suffix_tokens
    assert totals["n_prefilled_tokens"] <= n_prompt_tokens + 16


async def test_weights_leave_memory_in_spite_of_a_hold(app: Application) -> None:
    engine = app.engine
    assert isinstance(engine, EngineWorker)
    await ask(app, MARKED)
    flight = app.completion._flights.under_way(URI)
    assert flight is not None and flight.is_held
    await until(lambda: engine._live.n_held == 1)
    with engine._condition:
        engine._live.end_holds()
        assert engine._condition.wait_for(lambda: not engine._live.n_begun, 5)
    assert engine._backend is not None
    assert engine._backend.rest()
    engine._backend.wake()
    assert (await ask(app, MARKED.replace("left", "west"))).completions
