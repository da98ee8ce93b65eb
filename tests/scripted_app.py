"""An application whose model follows a script, for tests of the completion service, and a way to await a state."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from fimble.app import Application
from fimble.completion.request import CompletionResult
from fimble.engine.scripted import ScriptedBackend
from fimble.settings import Settings

SETTINGS = Settings(engine="scripted", delay_ms=0, prefetch=False, hold=False, next_line=False)


@contextlib.asynccontextmanager
async def running(backend: ScriptedBackend, settings: Settings = SETTINGS) -> AsyncIterator[Application]:
    """Give an application with the backend loaded, and close it behind."""
    app = Application(settings, make_backend=lambda: backend)
    app.start()
    await app.engine.wait_ready()
    yield app
    app.close()


def applied(result: CompletionResult) -> str:
    """Give the document with the first suggestion taken."""
    first, text = result.completions[0], result.document.text
    return text[: first.start_offset] + first.text + text[first.end_offset :]


async def until(condition: Callable[[], object]) -> None:
    """Wait until `condition()` holds."""
    end_at_s = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end_at_s, "the awaited state did not come"
        await asyncio.sleep(0.002)
