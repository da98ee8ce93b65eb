"""Heads of prompts as the service uses them: kept from the first request on, cut anew when nobody types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from fimble.app import Application
from fimble.completion import prefetch
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.engine import room
from fimble.engine.heads import HeadBook
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.records import CancelToken, FimPrompt
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot
from scripted_app import running, until

SETTINGS = Settings(engine="scripted", delay_ms=0, prefetch=False, hold=False, prefix_tokens_max=200)
ABOVE = "".join(f"line_{n} = {n}\n" for n in range(100, 110))


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend([Answer("answer\n")], heads=HeadBook(400, 1))


@pytest.fixture
async def app(backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Application]:
    monkeypatch.setattr(prefetch, "HEAD_IDLE_S", prefetch.IDLE_S)
    monkeypatch.setattr(prefetch, "ROOM_IDLE_S", 3 * prefetch.IDLE_S)
    monkeypatch.setattr(room, "QUIET_S", 2 * prefetch.IDLE_S)
    async with running(backend, SETTINGS) as app:
        yield app


async def ask(app: Application, prefix: str, uri: str = "file:///a.py") -> CompletionResult:
    document = DocumentSnapshot(uri, "python", 1, prefix + "\nlast = 1\n")
    return await app.completion.complete(CompletionRequest(document, len(prefix)), CancelToken(), lambda: document)


async def idle(app: Application) -> None:
    """Wait until what a pause is used for has been done."""
    prefetcher = app.completion._prefetcher
    await until(lambda: not prefetcher._timers and not prefetcher._tasks)


def warmed(backend: ScriptedBackend) -> int:
    return sum(call.warms_head for call in backend.calls)


async def test_first_request_has_the_head_kept_and_the_next_ones_use_it(
    app: Application, backend: ScriptedBackend
) -> None:
    await ask(app, ABOVE + "first = ")
    head = backend.calls[-1].prompt.head
    assert backend.heads is not None and backend.heads.has(head)
    result = await ask(app, ABOVE + "first = 1\nsecond = ")
    assert result.trace.n_head_tokens > 100
    assert backend.calls[-1].prompt.head == head
    assert backend.prompt_text(backend.calls[-1].prompt).endswith("line_109 = 109\nfirst = 1\nsecond =")
    assert result.completions[0].text.endswith("answer")
    await idle(app)
    assert warmed(backend) == 0


async def test_head_with_a_long_tail_behind_it_is_cut_anew_once_nobody_types(
    app: Application, backend: ScriptedBackend
) -> None:
    await ask(app, ABOVE + "first = ")
    await ask(app, ABOVE + "first = 1\n" + "x = 1\n" * 12 + "second = ")
    first_head = backend.calls[-1].prompt.head
    await until(lambda: warmed(backend) == 1)
    await idle(app)
    await ask(app, ABOVE + "first = 1\n" + "x = 1\n" * 12 + "third = ")
    assert len(backend.calls[-1].prompt.head) > len(first_head)


async def test_place_far_from_the_head_gets_one_of_its_own(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, ABOVE + "first = ")
    await ask(app, ABOVE + "first = 1\n" + "x = 1\n" * 30 + "second = ")
    assert backend.prompt_text(FimPrompt((), backend.calls[-1].prompt.head)).count("x = 1") > 20


async def test_key_comes_before_a_head_is_cut_anew(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, ABOVE + "first = ")
    for n_typed in range(1, 5):
        await ask(app, ABOVE + "first = 1\n" + "x = 1\n" * 12 + "second = "[:n_typed])
    assert warmed(backend) == 0


async def test_head_that_the_model_has_dropped_is_read_and_kept_again(
    app: Application, backend: ScriptedBackend
) -> None:
    await ask(app, ABOVE + "first = ")
    assert backend.heads is not None
    backend.heads.clear()
    assert (await ask(app, ABOVE + "second = ")).completions
    assert backend.heads.has(backend.calls[-1].prompt.head)


async def test_head_that_the_model_has_no_room_for_is_forgotten_until_there_is(
    app: Application, backend: ScriptedBackend
) -> None:
    assert backend.heads is not None
    backend.heads.keep(tuple(range(350)))
    await ask(app, ABOVE + "first = ")
    assert backend.calls[-1].prompt.head == ()
    assert not app.completion._flights.heads._heads
    await until(lambda: backend.n_rests == 1)
    await idle(app)
    await ask(app, ABOVE + "second = ")
    assert backend.calls[-1].prompt.head


@pytest.mark.parametrize("changes", [{"head_mib_max": 0}, {"enabled": False}])
async def test_nothing_is_read_where_heads_or_ghost_text_are_off(
    app: Application, backend: ScriptedBackend, changes: dict[str, object]
) -> None:
    app.apply(replace(SETTINGS, **changes))  # type: ignore[arg-type]
    await ask(app, ABOVE + "first = ")
    assert not app.completion._prefetcher._timers


async def test_nothing_is_prepared_on_battery(app: Application, backend: ScriptedBackend) -> None:
    app.completion._prefetcher._is_on_battery = lambda: True
    await ask(app, ABOVE + "first = ")
    far = ABOVE + "first = 1\n" + "x = 1\n" * 12
    await ask(app, far + "second = ")
    await idle(app)
    assert warmed(backend) == 0
    app.apply(replace(SETTINGS, ahead_on_battery=True))
    await ask(app, far + "third = ")
    await until(lambda: warmed(backend) == 1)
