"""Other lines than the one shown, with real weights: written behind a kept head, whole, and there at once for a key."""

from __future__ import annotations

import asyncio

import pytest

from fimble.app import Application
from fimble.completion import prefetch, type_ahead
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.records import CancelToken
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot

pytestmark = pytest.mark.model

ABOVE = "".join(
    f"def scaled_{n}(values: list) -> list:\n    return [v * {n} for v in values]\n\n\n" for n in range(2, 12)
)
LINE = "def middle(values: list) -> float:\n    "
BELOW = "\n    return ordered[len(ordered) // 2]\n"
URI = "file:///a.py"


async def ask(app: Application, typed: str = "") -> CompletionResult:
    document = DocumentSnapshot(URI, "python", 1, ABOVE + LINE + typed + BELOW)
    request = CompletionRequest(document, len(ABOVE + LINE + typed))
    return await app.completion.complete(request, CancelToken(), lambda: document)


def others(app: Application) -> list[str]:
    """Give the first lines of what is kept beside the text that was shown."""
    return [entry.text.split("\n")[0] for entry in app.completion.cache._documents[URI] if entry.is_other]


async def test_key_against_the_shown_line_shows_another_without_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "HEAD_IDLE_S", prefetch.IDLE_S)
    monkeypatch.setattr(type_ahead, "SHARE_SURE", 1.0)
    app = Application(
        Settings(
            prefetch=False, n_type_ahead=4, n_second_opinions=0, ahead_on_battery=True, delay_ms=0, deadline_ms=60_000
        )
    )
    app.start()
    await app.engine.wait_ready()
    try:
        [shown] = (await ask(app)).completions
        async with asyncio.timeout(60):
            while not (texts := others(app)):
                await asyncio.sleep(0.05)
        assert len(set(texts)) == len(texts)
        other = next(text for text in texts if text[:2] != shown.text[:2])
        result = await ask(app, other[:2])
        assert result.trace.cache == "type-ahead"
        assert result.completions[0].text == other[2:].rstrip()
    finally:
        app.close()
