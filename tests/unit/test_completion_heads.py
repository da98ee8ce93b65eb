"""Heads of prompts as the service uses them: read while nobody types, used afterwards, forgotten when they are gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from fimble.app import Application
from fimble.completion import prefetch
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.engine.heads import HeadBook
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.records import CancelToken
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot
from scripted_app import running, until

SETTINGS = Settings(engine="scripted", delay_ms=0, prefetch=False, target_ms=0, prefix_tokens_max=200)
ABOVE = "".join(f"line_{n} = {n}\n" for n in range(100, 110))


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend([Answer("answer\n")], heads=HeadBook(400, 1))


@pytest.fixture
async def app(backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Application]:
    monkeypatch.setattr(prefetch, "HEAD_IDLE_S", prefetch.IDLE_S)
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


async def test_head_is_read_once_nobody_types_and_used_from_then_on(app: Application, backend: ScriptedBackend) -> None:
    assert (await ask(app, ABOVE + "first = ")).trace.n_head_tokens == 0
    await until(lambda: backend.heads and backend.heads.n_heads)
    await until(lambda: app.completion._flights.heads._heads)
    result = await ask(app, ABOVE + "first = 1\nsecond = ")
    assert result.trace.n_head_tokens > 100
    assert backend.calls[-1].prompt.head
    assert backend.prompt_text(backend.calls[-1].prompt).endswith("line_109 = 109\nfirst = 1\nsecond =")
    assert result.completions[0].text.endswith("answer")


async def test_head_that_serves_is_not_read_again(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, ABOVE + "first = ")
    await until(lambda: app.completion._flights.heads._heads)
    await ask(app, ABOVE + "second = ")
    await idle(app)
    assert warmed(backend) == 1


async def test_key_comes_before_a_head_is_read(app: Application, backend: ScriptedBackend) -> None:
    for n_typed in range(1, 5):
        await ask(app, ABOVE + "first = "[:n_typed])
    assert warmed(backend) == 0


async def test_head_that_the_model_has_dropped_is_forgotten(app: Application, backend: ScriptedBackend) -> None:
    await ask(app, ABOVE + "first = ")
    await until(lambda: app.completion._flights.heads._heads)
    assert backend.heads is not None
    backend.heads.clear()
    assert (await ask(app, ABOVE + "second = ")).completions
    assert not app.completion._flights.heads._heads
    assert (await ask(app, ABOVE + "third = ")).trace.n_head_tokens == 0


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
    await idle(app)
    assert warmed(backend) == 0
    app.apply(replace(SETTINGS, ahead_on_battery=True))
    await ask(app, ABOVE + "second = ")
    await idle(app)
    assert warmed(backend) == 1
