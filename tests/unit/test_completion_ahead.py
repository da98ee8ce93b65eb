"""Generations that outlive their request: reused while typing, shown in part, gone on with, prepared in advance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from fimble.app import Application
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.engine.contract import Priority
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.records import CancelToken, DeclineReason
from fimble.text.document import DocumentSnapshot
from scripted_app import SETTINGS, applied, running, until


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend()


@pytest.fixture
async def app(backend: ScriptedBackend) -> AsyncIterator[Application]:
    async with running(backend) as app:
        yield app


def place(marked: str, version: int = 1) -> CompletionRequest:
    document = DocumentSnapshot("file:///a.py", "python", version, marked.replace("║", ""))
    return CompletionRequest(document, marked.index("║"))


async def ask(
    app: Application, marked: str, newest: Callable[[], DocumentSnapshot | None] | None = None
) -> CompletionResult:
    request = place(marked)
    return await app.completion.complete(request, CancelToken(), newest or (lambda: request.document))


def decoded(app: Application) -> int:
    return app.metrics.counts().get("tokens.decoded", 0)


async def test_running_generation_serves_the_request_of_a_key_that_agrees(
    app: Application, backend: ScriptedBackend
) -> None:
    backend.answers.append(Answer("first + second\n", prefill_ms=60, token_ms=10))
    first = asyncio.ensure_future(ask(app, "total = ║\n"))
    await until(lambda: backend.calls)
    second = asyncio.ensure_future(ask(app, "total = f║\n"))
    await asyncio.sleep(0)
    third = await ask(app, "total = fir║\n")
    assert [(await one).trace.reason for one in (first, second)] == ["superseded", "superseded"]
    assert applied(third) == "total = first + second\n"
    assert third.trace.cache == "in-flight"
    assert len(backend.calls) == 1


async def test_without_reuse_each_key_asks_anew(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(SETTINGS, reuse_running=False))
    backend.answers.append(Answer("first + second\n", prefill_ms=60, when="total ="))
    first = asyncio.ensure_future(ask(app, "total = ║\n"))
    await until(lambda: backend.calls)
    backend.answers.insert(0, Answer("st + second\n", when="fir"))
    assert applied(await ask(app, "total = fir║\n")) == "total = first + second\n"
    assert len(backend.calls) == 2
    await first


async def test_generation_that_leads_elsewhere_is_stopped_and_asked_anew(
    app: Application, backend: ScriptedBackend
) -> None:
    backend.answers.append(Answer("first " * 90, prefill_ms=60, times=1))
    backend.answers.append(Answer("um(values)\n"))
    first = asyncio.ensure_future(ask(app, "total = ║\n"))
    await until(lambda: backend.calls)
    # The model has written nothing yet: nobody knows that it will not be this.
    second = await ask(app, "total = s║\n")
    assert applied(second) == "total = sum(values)\n"
    assert [call.token.cancelled for call in backend.calls] == [False, False]
    assert len(backend.calls) == 2
    assert decoded(app) < 90
    await first


async def test_generation_that_disagrees_already_is_cancelled_by_the_key(
    app: Application, backend: ScriptedBackend
) -> None:
    backend.answers.append(Answer("first " * 90, token_ms=20, times=1))
    backend.answers.append(Answer("um(values)\n"))
    first = asyncio.ensure_future(ask(app, "total = ║\n"))
    await until(lambda: (flight := app.completion._flights.under_way("file:///a.py")) and flight.answer)
    await ask(app, "total = s║\n")
    assert backend.calls[0].token.cancelled
    assert (await first).trace.reason == "superseded"


@pytest.mark.parametrize("typed", ["f", ""], ids=["change comes first", "cancellation comes first"])
async def test_editor_that_cancels_before_it_asks_anew_keeps_the_generation(
    app: Application, backend: ScriptedBackend, typed: str
) -> None:
    backend.answers.append(Answer("first + second\n", prefill_ms=60, token_ms=10))
    newer = place(f"total = {typed}║\n").document
    first = asyncio.ensure_future(ask(app, "total = ║\n", newest=lambda: newer))
    await until(lambda: backend.calls)
    first.cancel()
    await asyncio.wait([first])
    assert applied(await ask(app, "total = f║\n")) == "total = first + second\n"
    assert len(backend.calls) == 1


@pytest.mark.parametrize("newer", ["total = ║\n", "total = x║\n", "total ║\n"])
async def test_cancelled_request_without_an_agreeing_key_stops_its_generation(
    app: Application, backend: ScriptedBackend, newer: str
) -> None:
    backend.answers.append(Answer("first" + "".join(f" + w{n}" for n in range(4000)), token_ms=12))
    first = asyncio.ensure_future(ask(app, "total = ║\n", newest=lambda: place(newer).document))
    await until(lambda: (flight := app.completion._flights.under_way("file:///a.py")) and flight.answer)
    first.cancel()
    await asyncio.wait([first])
    await until(lambda: backend.calls[0].token.cancelled)
    assert app.completion._flights.under_way("file:///a.py") is None


async def test_generation_kept_for_the_next_request_is_stopped_if_none_comes(
    app: Application, backend: ScriptedBackend
) -> None:
    backend.answers.append(Answer("first" + "".join(f" + w{n}" for n in range(4000)), token_ms=12))
    first = asyncio.ensure_future(ask(app, "total = ║\n", newest=lambda: place("total = f║\n").document))
    await until(lambda: (flight := app.completion._flights.under_way("file:///a.py")) and flight.answer)
    first.cancel()
    await asyncio.wait([first])
    await until(lambda: backend.calls[0].token.cancelled)


async def test_part_is_shown_at_the_target_and_the_rest_when_it_is_reached(
    app: Application, backend: ScriptedBackend
) -> None:
    app.apply(replace(SETTINGS, target_ms=50, show_parts=True))
    backend.answers.append(Answer("alpha + beta + gamma + delta\n", token_ms=40))
    part = await ask(app, "total = ║\n")
    assert part.trace.cache == "part"
    shown = applied(part)
    assert "total = alpha + beta + gamma + delta\n".startswith(shown.rstrip("\n"))
    await until(lambda: app.completion._flights.under_way("file:///a.py") is None)
    whole = await ask(app, shown.rstrip("\n") + "║\n")
    assert applied(whole) == "total = alpha + beta + gamma + delta\n"
    assert len(backend.calls) == 1


async def test_next_line_is_decoded_behind_the_one_shown(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(SETTINGS, prefetch=True))
    backend.answers.append(Answer("a + b\n    return total\n\nmore", token_ms=5, times=1))
    result = await ask(app, "def f(a, b):\n    total = ║\n")
    assert applied(result) == "def f(a, b):\n    total = a + b\n"
    await until(lambda: app.completion._flights.under_way("file:///a.py") is None)
    at_end = await ask(app, "def f(a, b):\n    total = a + b║\n")
    assert at_end.decline is not None
    assert at_end.decline.reason is DeclineReason.EMPTY_ANSWER
    following = await ask(app, "def f(a, b):\n    total = a + b\n    ║\n")
    assert applied(following) == "def f(a, b):\n    total = a + b\n    return total\n"
    assert len([call for call in backend.calls if call.priority is Priority.TYPING]) == 1


async def test_next_line_is_not_shown_before_the_cursor_is_there(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(SETTINGS, prefetch=True))
    backend.answers.append(Answer("a + b\n    return total\n\nmore", token_ms=2, times=1))
    await ask(app, "def f(a, b):\n    total = ║\n")
    await until(lambda: app.completion._flights.under_way("file:///a.py") is None)
    assert applied(await ask(app, "def f(a, b):\n    total = a║\n")) == "def f(a, b):\n    total = a + b\n"


async def test_line_after_an_accepted_one_is_prepared_while_nobody_types(
    app: Application, backend: ScriptedBackend
) -> None:
    backend.answers.append(Answer("a + b\n", times=1))
    await ask(app, "def f(a, b):\n    total = ║\n")
    app.apply(replace(SETTINGS, prefetch=True))
    backend.answers.append(Answer(" return total\n", times=1))
    hit = await ask(app, "def f(a, b):\n    total = a║\n")
    assert hit.trace.cache == "typed-through"
    await until(lambda: len(backend.calls) == 2)
    await until(lambda: app.completion._flights.under_way("file:///a.py") is None)
    assert backend.calls[1].priority is Priority.PREFETCH
    assert backend.prompt_text(backend.calls[1].prompt).endswith("total = a + b\n   ")
    for typed in ("\n", "\n    ", "\n    ret"):
        following = await ask(app, f"def f(a, b):\n    total = a + b{typed}║\n")
        assert applied(following) == "def f(a, b):\n    total = a + b\n    return total\n"
    assert [call.priority for call in backend.calls if call.priority is Priority.TYPING] == [Priority.TYPING]


async def test_typing_stops_what_is_prepared_within_one_token(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(SETTINGS, prefetch=True))
    backend.answers.append(Answer("a + b\n" + "word " * 400, token_ms=20, times=1))
    backend.answers.append(Answer("quick\n"))
    await ask(app, "total = ║\n")
    assert app.completion._flights.under_way("file:///a.py") is not None
    assert applied(await ask(app, "other = ║\n")) == "other = quick\n"
    assert decoded(app) < 60


async def test_nothing_is_prepared_once_too_much_of_it_was_in_vain(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(SETTINGS, prefetch=True, ahead_wasted_per_100_tokens=0))
    backend.answers.append(Answer("a + b\n" + "".join(f" w{n}" for n in range(40))))
    await ask(app, "first = ║\n")
    await until(lambda: app.completion._flights.under_way("file:///a.py") is None)
    n_decoded = decoded(app)
    assert n_decoded > 100
    await ask(app, "second = ║\n")
    await until(lambda: app.completion._flights.under_way("file:///a.py") is None)
    assert decoded(app) - n_decoded < 20


async def test_tokens_are_counted_as_decoded_shown_or_wasted(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(SETTINGS, prefetch=True))
    backend.answers.append(Answer("a + b\n    return total\n\nmore", token_ms=2))
    await ask(app, "def f(a, b):\n    total = ║\n")
    await until(lambda: decoded(app))
    before = app.metrics.counts()
    await ask(app, "def f(a, b):\n    total = a + b\n    ║\n")
    after = app.metrics.counts()
    assert before["tokens.wasted"] > after["tokens.wasted"] >= 0
    assert after["tokens.shown"] > before["tokens.shown"] > 0
    assert after["tokens.decoded"] == after["tokens.shown"] + after["tokens.wasted"]


async def test_closed_document_stops_what_is_prepared_for_it(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(SETTINGS, prefetch=True))
    backend.answers.append(Answer("a + b\n" + "word " * 400, token_ms=20))
    await ask(app, "total = ║\n")
    app.completion.closed("file:///a.py")
    assert backend.calls[0].token.cancelled
