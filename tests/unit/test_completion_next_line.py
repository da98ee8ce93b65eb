"""Behind a line that was just taken the next one is shown: held, or there already, or written now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from fimble.app import Application
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.records import CancelToken, Trigger
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot
from scripted_app import SETTINGS, applied, running, until

NEXT = replace(SETTINGS, hold=True, next_line=True)
URI = "file:///a.py"
FIRST = "def f(a, b):\n    total = ║\n    done()\n"
TAKEN = FIRST.replace("║", "a + b║")


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend([Answer("a + b\n    total += 1\n    log(total)\n\nmore", when="total =", times=1)])


@pytest.fixture
async def app(backend: ScriptedBackend) -> AsyncIterator[Application]:
    async with running(backend, NEXT) as app:
        yield app


async def ask(
    app: Application, marked: str, trigger: Trigger = Trigger.AUTOMATIC, language: str = "python"
) -> CompletionResult:
    document = DocumentSnapshot(URI, language, 1, marked.replace("║", ""))
    request = CompletionRequest(document, marked.index("║"), trigger)
    return await app.completion.complete(request, CancelToken(), lambda: document)


def taken(marked: str, result: CompletionResult) -> str:
    """Give the document with the suggestion taken and the cursor behind it."""
    return marked.replace("║", result.completions[0].text + "║")


async def test_each_line_that_is_taken_shows_the_next_one(app: Application, backend: ScriptedBackend) -> None:
    marked = taken(FIRST, await ask(app, FIRST))
    second = await ask(app, marked)
    assert (second.completions[0].text, second.trace.cache) == ("\n    total += 1", "held")
    marked = taken(marked, second)
    third = await ask(app, marked)
    assert third.completions[0].text == "\n    log(total)"
    assert len(backend.calls) == 1


async def test_enter_in_place_of_taking_it_shows_the_rest(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, FIRST)
    await ask(app, TAKEN)
    for typed, left in (("\n    ", "total += 1"), ("\n    to", "tal += 1")):
        assert (await ask(app, TAKEN.replace("║", f"{typed}║"))).completions[0].text == left
    assert len(backend.calls) == 1


async def test_line_that_was_decoded_already_is_shown_from_the_cache(
    app: Application, backend: ScriptedBackend
) -> None:
    app.apply(replace(NEXT, hold=False, prefetch=True))
    await ask(app, FIRST)
    await until(lambda: app.completion._flights.under_way(URI) is None)
    second = await ask(app, TAKEN)
    assert (second.completions[0].text, second.trace.cache) == ("\n    total += 1", "next-line")
    assert len(backend.calls) == 1


@pytest.mark.parametrize("reuse_running", [True, False])
async def test_line_that_nobody_holds_is_written_and_shown(
    app: Application, backend: ScriptedBackend, reuse_running: bool
) -> None:
    app.apply(replace(NEXT, hold=False, reuse_running=reuse_running))
    backend.answers.append(Answer("total += 1\n    log(total)\n", when="total = a + b\n"))
    marked = taken(FIRST, await ask(app, FIRST))
    second = await ask(app, marked)
    assert (second.completions[0].text, second.trace.cache) == ("\n    total += 1", "miss")
    assert len(backend.calls) == 2
    result = await ask(app, marked.replace("║", "\n    to║"))
    assert (result.completions[0].text, result.trace.cache) == ("tal += 1", "typed-through")
    assert len(backend.calls) == 2


async def test_line_that_is_written_ends_with_a_key_against_it(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(NEXT, hold=False))
    backend.answers.append(Answer("total += 1\n", when="total = a + b\n", token_ms=20))
    marked = taken(FIRST, await ask(app, FIRST))
    waiting = asyncio.ensure_future(ask(app, marked))
    await until(lambda: len(backend.calls) == 2)
    await ask(app, marked.replace("║", "  # note║"))
    assert not (await waiting).completions
    assert backend.calls[1].token.cancelled


async def test_line_end_is_that_of_the_document(app: Application, backend: ScriptedBackend) -> None:
    marked = FIRST.replace("\n", "\r\n")
    second = await ask(app, taken(marked, await ask(app, marked)))
    assert second.completions[0].text == "\r\n    total += 1"


async def test_line_typed_by_hand_shows_nothing_at_its_end(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, FIRST)
    for typed in ("a +", "a + b"):
        result = await ask(app, FIRST.replace("║", f"{typed}║"))
    assert result.trace.reason == "empty-answer"


@pytest.mark.parametrize("changes", [{"next_line": False}, {"multiline": "never"}])
async def test_switched_off_it_comes_with_enter(
    app: Application, backend: ScriptedBackend, changes: dict[str, object]
) -> None:
    app.apply(replace(NEXT, **changes))  # type: ignore[arg-type]
    await ask(app, FIRST)
    assert not (await ask(app, TAKEN)).completions
    assert (await ask(app, TAKEN.replace("║", "\n    ║"))).completions


async def test_who_asks_by_a_key_is_given_a_block_without_a_second_prompt(
    app: Application, backend: ScriptedBackend
) -> None:
    await ask(app, FIRST)
    result = await ask(app, TAKEN, Trigger.INVOKED)
    assert (result.trace.cache, result.trace.shape) == ("held", "block")
    assert result.completions[0].text.startswith("\n    total += 1\n    log(total)")
    assert len(backend.calls) == 1


async def test_line_that_stands_below_already_is_not_shown(app: Application, backend: ScriptedBackend) -> None:
    marked = FIRST.replace("done()", "total += 1")
    await ask(app, marked)
    assert not (await ask(app, marked.replace("║", "a + b║"))).completions


async def test_statement_that_has_ended_shows_the_next_one(app: Application, backend: ScriptedBackend) -> None:
    backend.answers.insert(0, Answer("a + b;\n  log(total);\n  more", when="let", times=1))
    marked = "function f(a, b) {\n  let total = ║\n  done();\n}\n"
    first = await ask(app, marked, language="javascript")
    second = await ask(app, taken(marked, first), language="javascript")
    assert second.completions[0].text == "\n  log(total);"


async def test_key_that_agrees_goes_on_with_the_next_line_under_way(app: Application, backend: ScriptedBackend) -> None:
    backend.answers[0].token_ms = 20
    await ask(app, FIRST)
    waiting = asyncio.ensure_future(ask(app, TAKEN))
    flight = app.completion._flights.under_way(URI)
    assert flight is not None
    await until(lambda: not flight.is_held)
    result = await ask(app, TAKEN.replace("║", "\n    ║"))
    assert applied(result) == TAKEN.replace("║", "\n    total += 1")
    assert not (await waiting).completions
    assert len(backend.calls) == 1


def test_both_are_on_unless_switched_off() -> None:
    assert Settings().hold and Settings().next_line
