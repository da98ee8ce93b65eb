"""A finished line is held: what comes behind it needs no second prompt once it is taken or typed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from fimble.app import Application
from fimble.completion import prefetch
from fimble.completion.ledger import FOLLOWED_LINES_MIN, Ledger, Source
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.engine.contract import GenerationRequest, Priority
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.metrics import Metrics
from fimble.records import CancelToken, DeclineReason, FimPrompt
from fimble.text.document import DocumentSnapshot
from scripted_app import SETTINGS, applied, running, until

HOLDING = replace(SETTINGS, hold=True)
WRITTEN = "a + b\n    total += 1\n    log(total)\n\nmore"
URI = "file:///a.py"
FIRST = "def f(a, b):\n    total = ║\n    done()\n"


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend([Answer(WRITTEN, when="total =", times=1)])


@pytest.fixture
async def app(backend: ScriptedBackend) -> AsyncIterator[Application]:
    async with running(backend, HOLDING) as app:
        yield app


async def ask(app: Application, marked: str, uri: str = URI, n_alternatives: int = 1) -> CompletionResult:
    document = DocumentSnapshot(uri, "python", 1, marked.replace("║", ""))
    request = CompletionRequest(document, marked.index("║"), n_alternatives=n_alternatives)
    return await app.completion.complete(request, CancelToken(), lambda: document)


def written(text: str) -> str:
    """Give the document with `text` typed or taken at its first place."""
    return FIRST.replace("║", text + "║")


def is_held(app: Application, uri: str = URI) -> bool:
    flight = app.completion._flights.under_way(uri)
    return flight is not None and flight.is_held


async def held(app: Application, uri: str = URI) -> None:
    await until(lambda: is_held(app, uri))


async def test_next_line_comes_from_what_is_held(app: Application, backend: ScriptedBackend) -> None:
    assert applied(await ask(app, FIRST)) == written("a + b").replace("║", "")
    assert is_held(app)
    assert (await ask(app, written("a + b"))).trace.reason == "empty-answer"
    second = await ask(app, written("a + b\n    "))
    assert applied(second) == written("a + b\n    total += 1").replace("║", "")
    assert second.trace.cache == "held"
    assert is_held(app)
    third = await ask(app, written("a + b\n    total += 1\n    "))
    assert applied(third) == written("a + b\n    total += 1\n    log(total)").replace("║", "")
    assert len(backend.calls) == 1


async def test_line_typed_by_hand_is_gone_on_from_too(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, FIRST)
    for typed in ("a", "a +", "a + b"):
        await ask(app, written(typed))
    assert (await ask(app, written("a + b\n"))).trace.cache == "held"
    assert len(backend.calls) == 1


async def test_nothing_more_is_decoded_until_it_is_wanted(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, FIRST)
    flight = app.completion._flights.under_way(URI)
    assert flight is not None
    await ask(app, written("a"))
    assert (flight.answer, flight.is_held) == ("a + b\n", True)


async def test_next_line_is_decoded_once_the_cursor_is_at_the_end_of_the_line(
    app: Application, backend: ScriptedBackend
) -> None:
    app.apply(replace(HOLDING, prefetch=True))
    await ask(app, FIRST)
    flight = app.completion._flights.under_way(URI)
    assert flight is not None
    await ask(app, written("a + b"))
    await until(lambda: flight.answer == "a + b\n    total += 1\n" and flight.is_held)
    second = await ask(app, written("a + b\n    "))
    assert applied(second) == written("a + b\n    total += 1").replace("║", "")
    assert second.trace.n_decoded_tokens == 0
    await ask(app, written("a + b\n    total += 1"))
    await until(lambda: flight.answer.endswith("log(total)\n") and flight.is_held)
    assert len(backend.calls) == 1


async def test_line_that_is_whole_already_is_gone_on_from_in_a_pause(
    app: Application, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefetch, "IDLE_S", 0.0)
    app.apply(replace(HOLDING, prefetch=True))
    backend.answers.insert(0, Answer("\n    log(total)\n", times=1))
    whole = await ask(app, written("a + b"))
    assert whole.decline is not None
    assert whole.decline.reason is DeclineReason.ONLY_WHITESPACE
    flight = app.completion._flights.under_way(URI)
    assert flight is not None
    await until(lambda: flight.answer == "\n    log(total)\n" and flight.is_held)
    assert applied(await ask(app, written("a + b\n    "))) == written("a + b\n    log(total)").replace("║", "")
    assert [call.priority for call in backend.calls] == [Priority.TYPING]


async def test_pause_reads_no_prompt_for_what_is_held(
    app: Application, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefetch, "IDLE_S", 0.0)
    app.apply(replace(HOLDING, prefetch=True))
    await ask(app, FIRST)
    prefetcher = app.completion._prefetcher
    assert prefetcher._timers
    await until(lambda: not prefetcher._timers and not prefetcher._tasks)
    flight = app.completion._flights.under_way(URI)
    assert flight is not None
    assert (len(backend.calls), flight.answer, flight.is_held) == (1, "a + b\n", True)


async def test_what_is_held_is_dropped_by_text_that_disagrees(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, FIRST)
    call = backend.calls[0]
    await ask(app, written("c"))
    assert call.token.cancelled
    assert len(backend.calls) == 2


async def test_indentation_that_disagrees_is_asked_for_anew(app: Application, backend: ScriptedBackend) -> None:
    backend.answers.append(Answer("deeper()\n", times=1))
    await ask(app, FIRST)
    deeper = await ask(app, written("a + b\n        "))
    assert (deeper.trace.cache, len(backend.calls)) == ("miss", 2)
    assert applied(deeper) == written("a + b\n        deeper()").replace("║", "")


async def test_line_ends_of_the_document_make_no_difference(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, FIRST.replace("\n", "\r\n"))
    second = await ask(app, written("a + b\n    ").replace("\n", "\r\n"))
    assert second.completions[0].text == "total += 1"
    assert len(backend.calls) == 1


async def test_block_cut_by_its_number_of_lines_is_held(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(HOLDING, block_lines_max=1))
    backend.answers.insert(0, Answer("    one = 1\n    two = 2\n    three = 3\n", times=1))
    marked = "def g():\n║"
    first = await ask(app, marked)
    assert first.trace.shape == "block"
    await held(app)
    taken = applied(first).rstrip("\n")
    second = await ask(app, f"{taken}\n    ║")
    assert second.trace.cache == "held"
    assert second.completions[0].text.startswith("two = 2")
    assert len(backend.calls) == 1


@pytest.mark.parametrize(
    ("marked", "answer", "n_alternatives"),
    [
        ("total = f(║) + 1\n", "a, b) + 1\n", 1),  # code behind the cursor
        ("total = ║\n", "a + b\nmore", 2),  # several are asked for
        ("total = ║\n", "a + b", 1),  # the model has ended it
    ],
)
async def test_nothing_is_held_where_no_next_line_comes(
    app: Application, backend: ScriptedBackend, marked: str, answer: str, n_alternatives: int
) -> None:
    backend.answers.insert(0, Answer(answer))
    await ask(app, marked, n_alternatives=n_alternatives)
    assert not is_held(app)
    await until(lambda: app.completion._flights.under_way(URI) is None)


async def test_answer_that_does_not_fit_is_not_held(app: Application, backend: ScriptedBackend) -> None:
    backend.answers.insert(0, Answer("a +* b)\n", rows=["x\n"] * 8))
    result = await ask(app, "def f(a, b):\n    ║\n    done()\n")
    assert result.trace.second_look
    await until(lambda: not is_held(app))


async def test_only_one_document_is_held(app: Application, backend: ScriptedBackend) -> None:
    backend.answers.append(Answer("a * b\n    next\n"))
    await ask(app, FIRST)
    await ask(app, FIRST, uri="file:///b.py")
    await held(app, "file:///b.py")
    await until(lambda: app.completion._flights.under_way(URI) is None)
    # What was shown is known still, and the place behind it is asked for anew.
    assert applied(await ask(app, FIRST)) == written("a + b").replace("║", "")


async def test_closed_document_is_not_held(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, FIRST)
    app.completion.closed(URI)
    await until(lambda: not app.engine._live.n_begun)  # type: ignore[attr-defined]


async def test_hold_does_not_keep_the_server_from_ending(backend: ScriptedBackend) -> None:
    async with running(backend, HOLDING) as app:
        await ask(app, FIRST)
        await held(app)
        threads = app.engine._threads  # type: ignore[attr-defined]
        assert any(thread.is_alive() for thread in threads)
    assert not any(thread.is_alive() for thread in threads)


async def test_other_documents_are_answered_beside_a_hold(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, FIRST)
    backend.answers.append(Answer("quick()\n"))
    action = GenerationRequest(FimPrompt((), (ord("A"),)), 50, Priority.ACTION)
    assert (await app.engine.generate(action))[0].text
    assert is_held(app)
    assert applied(await ask(app, "x = ║\n", uri="file:///b.py")) == "x = quick()\n"


async def test_switched_off_nothing_is_held(app: Application, backend: ScriptedBackend) -> None:
    app.apply(SETTINGS)
    await ask(app, FIRST)
    await until(lambda: app.completion._flights.under_way(URI) is None)


async def test_held_line_is_gone_on_from_without_reuse(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(HOLDING, reuse_running=False))
    await ask(app, FIRST)
    assert (await ask(app, written("a + b\n    "))).trace.cache == "held"


async def test_time_in_a_hold_is_nobodys(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, FIRST)
    flight = app.completion._flights.under_way(URI)
    assert flight is not None
    flight.launched_at_s -= 1_000
    trace = (await ask(app, written("a + b\n    "))).trace
    assert trace.cache == "held"
    assert trace.parts_ms["first_token"] < 900_000
    assert trace.n_decoded_tokens < len(WRITTEN)


async def test_next_line_is_decoded_at_once_while_most_lines_are_followed(
    app: Application, backend: ScriptedBackend
) -> None:
    app.apply(replace(HOLDING, prefetch=True))
    ledger = app.completion._flights.ledger
    for _ in range(FOLLOWED_LINES_MIN):
        source = Source()
        ledger.finished(source)
        ledger.followed(source)
    await ask(app, FIRST)
    flight = app.completion._flights.under_way(URI)
    assert flight is not None
    await until(lambda: flight.answer == "a + b\n    total += 1\n" and flight.is_held)


def test_lines_are_followed_if_most_of_the_last_ones_were() -> None:
    ledger = Ledger(Metrics())
    sources = [Source() for _ in range(FOLLOWED_LINES_MIN)]
    for number, source in enumerate(sources):
        ledger.finished(source)
        ledger.finished(source)
        if number % 2:
            ledger.followed(source)
            ledger.followed(source)
    assert ledger.is_followed
    ledger.finished(Source())
    assert not ledger.is_followed
    ledger.followed(Source())
    assert not ledger.is_followed


async def test_taken_lines_are_counted(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, FIRST)
    source = app.completion._flights.under_way(URI).source  # type: ignore[union-attr]
    assert (source.was_finished, source.was_followed) == (True, False)
    await ask(app, written("a + b"))
    assert source.was_followed
