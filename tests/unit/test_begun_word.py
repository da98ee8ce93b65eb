"""Words that are begun at the cursor: written again from their start, where a head is kept and a token agrees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from fimble.app import Application
from fimble.completion import prefetch
from fimble.completion.begun_word import before_word
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.engine.heads import HeadBook
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.records import CancelToken, CursorWindow
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot
from scripted_app import running, until

SETTINGS = Settings(engine="scripted", delay_ms=0, prefetch=False, hold=False, prefix_tokens_max=200)
URI = "file:///a.py"
ABOVE = "".join(f"line_{n} = {n}\n" for n in range(100, 110))


@pytest.fixture
def word() -> Answer:
    return Answer("", words={" x": -0.1, " int": -2.0, " in": -3.0}, rows=[" int(a) + 1\n", " in_order\n"])


@pytest.fixture
def backend(word: Answer) -> ScriptedBackend:
    return ScriptedBackend([Answer("plain\n"), word], heads=HeadBook(400, 1))


@pytest.fixture
async def app(backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Application]:
    """Give an application that has the head for the places below."""
    monkeypatch.setattr(prefetch, "HEAD_IDLE_S", prefetch.IDLE_S)
    async with running(backend, SETTINGS) as app:
        await ask(app, "first = ")
        await until(lambda: app.completion._flights.heads._heads)
        backend.calls.clear()
        yield app


async def ask(app: Application, line: str, behind: str = "") -> CompletionResult:
    document = DocumentSnapshot(URI, "python", 1, ABOVE + line + behind + "\nlast = 1\n")
    request = CompletionRequest(document, len(ABOVE + line))
    return await app.completion.complete(request, CancelToken(), lambda: document)


async def test_begun_word_goes_on_as_the_likeliest_one_that_agrees(app: Application, backend: ScriptedBackend) -> None:
    result = await ask(app, "second = i")
    assert result.completions[0].text == "nt(a) + 1"
    [call] = backend.calls
    assert [backend.tokenizer.decode(start) for start in call.starts] == [" int"]
    assert backend.prompt_text(call.prompt).endswith("line_109 = 109\nsecond =")
    assert result.trace.stop_reason == "rule"


async def test_keys_of_the_word_go_on_with_what_is_decoded(
    app: Application, backend: ScriptedBackend, word: Answer
) -> None:
    word.prefill_ms = 30
    first = asyncio.ensure_future(ask(app, "second = i"))
    await until(lambda: backend.calls)
    result = await ask(app, "second = in")
    assert (result.completions[0].text, result.trace.cache) == ("t(a) + 1", "in-flight")
    assert len(backend.calls) == 1
    await first


async def test_keys_until_the_word_is_known_choose_it(app: Application, backend: ScriptedBackend, word: Answer) -> None:
    word.prefill_ms, word.rows = 30, [" in_order\n"]
    first = asyncio.ensure_future(ask(app, "second = i"))
    await until(lambda: app.completion._flights.under_way(URI))
    result = await ask(app, "second = in_")
    assert (result.completions[0].text, result.trace.cache) == ("order", "in-flight")
    assert [backend.tokenizer.decode(start) for call in backend.calls for start in call.starts] == [" in"]
    await first


async def test_key_against_the_word_does_not_wait_for_what_comes_behind_it(
    app: Application, backend: ScriptedBackend, word: Answer
) -> None:
    word.prefill_ms = 30
    first = asyncio.ensure_future(ask(app, "second = i"))
    await until(lambda: backend.calls)
    flight = app.completion._flights.under_way(URI)
    assert flight is not None and flight.answer == "nt"
    await ask(app, "second = if")
    assert not flight.has_strayed and flight.token.cancelled
    await first


async def test_head_of_a_line_that_is_held_is_known_to_be_kept(backend: ScriptedBackend) -> None:
    async with running(backend, replace(SETTINGS, hold=True)) as app:
        await ask(app, "first = ")
        assert (await ask(app, "second = i")).completions[0].text == "nt(a) + 1"


@pytest.mark.parametrize("line", ["second = p", "second = ", "second = 1"])
async def test_word_that_no_token_agrees_with_or_that_is_not_begun_is_gone_on_with(
    app: Application, backend: ScriptedBackend, line: str
) -> None:
    assert (await ask(app, line)).completions[0].text == "plain"
    assert [call.starts for call in backend.calls] == [()]


@pytest.mark.parametrize("settings", [{"begun_words": False}, {"head_mib_max": 0}])
async def test_without_the_setting_or_a_head_the_prompt_ends_in_the_word(
    app: Application, backend: ScriptedBackend, settings: dict[str, object]
) -> None:
    app.apply(replace(SETTINGS, **settings))
    assert (await ask(app, "second = i")).completions[0].text == "plain"
    assert backend.prompt_text(backend.calls[0].prompt).endswith("second = i")


async def test_looking_for_a_token_that_agrees_counts_as_one(app: Application) -> None:
    before = app.engine.usage.totals()
    await ask(app, "second = i")
    after = app.engine.usage.totals()
    assert after["n_generations"] - before["n_generations"] == 2
    assert after["n_decoded_tokens"] - before["n_decoded_tokens"] == 1 + len("(a) + 1\n")


async def test_prompt_whose_head_is_not_kept_is_read_once(word: Answer) -> None:
    backend = ScriptedBackend([Answer("plain\n"), word], heads=HeadBook(10, 1))
    async with running(backend, SETTINGS) as app:
        for n_asked, line in enumerate(("first = i", "second = i", "third = i"), start=1):
            assert (await ask(app, line)).completions[0].text == "plain"
            assert app.engine.usage.totals()["n_generations"] == n_asked


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("total = va║", ("total = ", "va")),
        ("thread.se║", ("thread", ".se")),
        ("to_na║(", ("to", "_na")),
        ("self._na║)", ("self._", "na")),
        ("a = (b║", ("a = (", "b")),
        ("a = _b║", ("a = _", "b")),
        ("a[(b║])", ("a[(", "b")),
        ("\t\ti║", ("\t", "\ti")),
        ("ü║", ("", "ü")),
        ("(a║", ("", "(a")),
        ("x2║", None),
        ("a = 12║", None),
        ("a = ║", None),
        ("va║lue", None),
        ("averylongname║", None),
    ],
)
def test_word_that_is_begun(marked: str, expected: tuple[str, str] | None) -> None:
    before, behind = marked.split("║")
    found = before_word(CursorWindow(before, behind))
    assert (found and (found[0].prefix, found[1])) == expected
