"""Other lines than the one shown, written while it is read: found by a key against it, bounded, in no key's way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from fimble.app import Application
from fimble.completion import prefetch
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.engine.contract import GenerationRequest, Priority
from fimble.engine.heads import HeadBook
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.records import CancelToken
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot
from scripted_app import running, until

SETTINGS = Settings(engine="scripted", delay_ms=0, prefetch=False, prefix_tokens_max=200, n_type_ahead=2)
ABOVE = "".join(f"line_{n} = {n}\n" for n in range(100, 110))
WORDS = {" alpha": -1.0, " beta": -1.2, "\n": -1.3, " gamma": -2.0, " delta": -3.0}


@pytest.fixture
def others() -> Answer:
    return Answer("", words=dict(WORDS), rows=[" beta(1)\n", " gamma(2)\n", " delta(3)\n"])


@pytest.fixture
def backend(others: Answer) -> ScriptedBackend:
    return ScriptedBackend([Answer("alpha + 1\n"), others], heads=HeadBook(400, 1))


@pytest.fixture
async def app(backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Application]:
    """Give an application that has the head for the places below."""
    monkeypatch.setattr(prefetch, "HEAD_IDLE_S", prefetch.IDLE_S)
    async with running(backend, replace(SETTINGS, n_type_ahead=0)) as app:
        await ask(app, "first = ")
        await until(lambda: app.completion._flights.heads._heads)
        app.apply(SETTINGS)
        yield app


async def ask(app: Application, line: str) -> CompletionResult:
    document = DocumentSnapshot("file:///a.py", "python", 1, ABOVE + line + "\nlast = 1\n")
    request = CompletionRequest(document, len(ABOVE + line))
    return await app.completion.complete(request, CancelToken(), lambda: document)


def begun(backend: ScriptedBackend) -> list[GenerationRequest]:
    """Give the requests for rows with given beginnings."""
    return [call for call in backend.calls if call.starts]


def asked(backend: ScriptedBackend) -> int:
    return len([call for call in backend.calls if call.priority is Priority.TYPING])


async def idle(app: Application) -> None:
    """Wait until what a pause is used for has been done."""
    ahead = app.completion._prefetcher
    await until(lambda: not ahead._timers and not ahead._tasks and not ahead._type_ahead._writing)


async def test_key_against_the_shown_text_shows_one_that_agrees_at_once(
    app: Application, backend: ScriptedBackend
) -> None:
    assert (await ask(app, "second = ")).completions[0].text == "alpha + 1"
    await idle(app)
    n_asked = asked(backend)
    switched = await ask(app, "second = b")
    assert (switched.completions[0].text, switched.trace.cache) == ("eta(1)", "type-ahead")
    through = await ask(app, "second = be")
    assert (through.completions[0].text, through.trace.cache) == ("ta(1)", "typed-through")
    assert (await ask(app, "second = g")).completions[0].text == "amma(2)"
    assert asked(backend) == n_asked
    [rows] = begun(backend)
    assert rows.priority is Priority.PREFETCH
    assert [backend.tokenizer.decode(start) for start in rows.starts] == [" beta", " gamma"]


async def test_backspace_returns_to_the_text_that_was_shown(app: Application) -> None:
    await ask(app, "second = ")
    await idle(app)
    await ask(app, "second = b")
    assert (await ask(app, "second = ")).completions[0].text == "alpha + 1"


async def test_key_that_agrees_with_none_asks_the_model(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, "second = ")
    await idle(app)
    n_asked = asked(backend)
    await ask(app, "second = x")
    assert asked(backend) == n_asked + 1


async def test_nothing_is_written_where_the_model_is_sure(
    app: Application, backend: ScriptedBackend, others: Answer
) -> None:
    others.words[" alpha"] = -0.1
    await ask(app, "second = ")
    await idle(app)
    assert begun(backend) == []


async def test_nothing_is_written_unless_it_is_wanted(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(SETTINGS, n_type_ahead=0))
    await ask(app, "second = ")
    await idle(app)
    assert begun(backend) == []


async def test_nothing_is_written_without_a_head_that_is_kept(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(SETTINGS, head_mib_max=0))
    await ask(app, "second = ")
    await idle(app)
    assert begun(backend) == []


@pytest.mark.parametrize(("line", "row"), [("second = ", " beta" + " + 1" * 40), ("", "beta = if\n")])
async def test_line_that_is_not_whole_or_does_not_fit_is_not_kept(
    app: Application, backend: ScriptedBackend, others: Answer, line: str, row: str
) -> None:
    others.words = {"alpha": -1.0, row[:4]: -1.2}
    others.rows = [row]
    await ask(app, line)
    await idle(app)
    assert begun(backend)
    n_asked = asked(backend)
    await ask(app, line + row.strip()[:1])
    assert asked(backend) == n_asked + 1


async def test_key_ends_the_writing_within_one_token_and_its_cost_is_counted(
    app: Application, backend: ScriptedBackend, others: Answer
) -> None:
    others.rows, others.token_ms = [" beta" + " + 1" * 400], 20
    others.words.pop(" gamma")
    others.words.pop(" delta")
    await ask(app, "second = ")
    await until(lambda: begun(backend))
    n_wasted = app.metrics.counts()["tokens.wasted"]
    await ask(app, "second = x")
    await until(lambda: begun(backend)[0].token.cancelled)
    await until(lambda: app.metrics.counts()["tokens.wasted"] > n_wasted)


async def test_nothing_is_written_once_too_much_was_in_vain(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(SETTINGS, ahead_wasted_per_100_tokens=0))
    for n in range(12):
        await ask(app, f"value_{n} = ")
        await idle(app)
    assert 0 < len(begun(backend)) < 12
