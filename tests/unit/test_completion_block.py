"""A block that takes long is shown up to the line it has come to; what is behind comes once that is taken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from fimble.app import Application
from fimble.completion import course
from fimble.completion.policy import Ask
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.completion.stop import StopRules
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.records import CancelToken, CursorWindow, Shape, Trigger
from fimble.text.document import DocumentSnapshot
from scripted_app import SETTINGS, applied, running

URI = "file:///a.py"
BODY = "first = a\n    second = b\n    third = first + second\n    return third\n"
PLACE = "def f(a, b):\n    ║\n"
SLOW_MS = 25.0
"""For each word: the whole body takes 18 of them."""


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend([Answer(BODY, token_ms=SLOW_MS, times=1)])


@pytest.fixture
async def app(backend: ScriptedBackend) -> AsyncIterator[Application]:
    async with running(backend, replace(SETTINGS, hold=True, block_ms_max=1)) as app:
        yield app


async def ask(app: Application, marked: str, trigger: Trigger = Trigger.AUTOMATIC) -> CompletionResult:
    document = DocumentSnapshot(URI, "python", 1, marked.replace("║", ""))
    request = CompletionRequest(document, marked.index("║"), trigger)
    return await app.completion.complete(request, CancelToken(), lambda: document)


async def test_block_that_is_late_ends_with_its_line(app: Application) -> None:
    result = await ask(app, PLACE)
    assert applied(result) == "def f(a, b):\n    first = a\n"
    assert result.trace.shape == Shape.BLOCK.value


async def test_what_is_behind_needs_no_prompt(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, PLACE)
    second = await ask(app, "def f(a, b):\n    first = a\n    ║\n")
    assert second.trace.cache == "held"
    assert applied(second) == "def f(a, b):\n    first = a\n    second = b\n"
    assert len(backend.calls) == 1


async def test_who_asks_by_a_key_waits_for_all_of_it(app: Application) -> None:
    assert applied(await ask(app, PLACE, Trigger.INVOKED)) == f"def f(a, b):\n    {BODY}"


async def test_all_of_it_is_waited_for_without_a_bound(app: Application) -> None:
    app.apply(replace(SETTINGS, block_ms_max=0))
    assert applied(await ask(app, PLACE)) == f"def f(a, b):\n    {BODY}"


async def test_block_in_time_is_whole(app: Application) -> None:
    app.apply(replace(SETTINGS, block_ms_max=60_000))
    assert applied(await ask(app, PLACE)) == f"def f(a, b):\n    {BODY}"


@pytest.mark.parametrize(("block_ms_max", "n_calls"), [(1, 1), (0, 2)])
async def test_late_block_is_shown_without_a_second_look(
    app: Application, backend: ScriptedBackend, block_ms_max: int, n_calls: int
) -> None:
    app.apply(replace(SETTINGS, multiline="always", block_ms_max=block_ms_max))
    backend.answers = [Answer("return a\n", token_ms=SLOW_MS, times=1), Answer("log(b)\n")]
    result = await ask(app, "def f(a, b):\n    ║\n    log(a)\n")  # what is below would never be reached
    assert result.completions
    assert len(backend.calls) == n_calls


@pytest.mark.parametrize(
    ("written", "may_end"),
    [
        ("a = 1\n", True),
        ("a = 1\n    ", True),
        ("a = 1\n    b", False),
        ("a = 1", False),
        ("\n", False),
        ("\n    ", False),
        ("if a:\n", False),
        ("if a:\n        b()\n", True),
        ("call(\n", False),
        ("call(\n        a,\n", False),
        ("call(\n        a,\n    )\n", True),
        ('text = """\n', False),
        ("a = 1\r\n", True),
    ],
)
def test_whole_lines_with_nothing_left_open_may_be_shown(written: str, may_end: bool) -> None:
    window = CursorWindow("def f(a):\n    ", "\n", "python")
    rules = StopRules.build(window, Ask(Shape.BLOCK, 16, 128, 0, 384, 128))
    assert rules.may_end_with(written) is may_end


def test_opener_at_the_cursor_waits_for_its_block() -> None:
    rules = StopRules.build(CursorWindow("def f(a)", "\n", "python"), Ask(Shape.BLOCK, 16, 128, 0, 384, 128))
    assert not rules.may_end_with(":\n")
    assert rules.may_end_with(":\n    return a\n")


@pytest.mark.parametrize(
    ("written", "may_end", "may_end_later"),
    [
        ("for (;;) {\n", False, False),
        ("for (;;) {\n        b();\n", False, True),
        ("for (;;) {\n        b(\n", False, False),
        ("for (;;) {\n        b();\n    }\n", True, True),
        ("a = {\n        b: 1,\n", False, False),
        ("a,\n", True, True),
    ],
)
def test_later_a_line_within_braces_may_be_shown(written: str, may_end: bool, may_end_later: bool) -> None:
    window = CursorWindow("function f(a) {\n    ", "\n}\n", "javascript")
    rules = StopRules.build(window, Ask(Shape.BLOCK, 16, 128, 0, 384, 128))
    assert rules.may_end_with(written) is may_end
    assert rules.may_end_with(written, leaves_blocks_open=True) is may_end_later


def test_later_a_bracket_of_a_language_without_braces_stays_open() -> None:
    rules = StopRules.build(CursorWindow("def f(a):\n    ", "\n", "python"), Ask(Shape.BLOCK, 16, 128, 0, 384, 128))
    assert not rules.may_end_with("a = {\n        1: 2\n", leaves_blocks_open=True)


async def test_block_that_is_very_late_ends_within_its_braces(
    app: Application, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "OPEN_BLOCKS_S", 0.0)
    text = "for (;;) {\n        log(a);\n        log(b);\n    }\n"
    backend.answers = [Answer(text, token_ms=SLOW_MS, times=1)]
    document = DocumentSnapshot("file:///a.js", "javascript", 1, "function f(a, b) {\n    \n}\n")
    request = CompletionRequest(document, document.text.index("\n}"), Trigger.AUTOMATIC)
    result = await app.completion.complete(request, CancelToken(), lambda: document)
    assert [each.text for each in result.completions] == ["for (;;) {\n        log(a);"]
