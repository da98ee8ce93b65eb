"""Which models are in memory, and who uses them."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from fimble.daemon.pool import EnginePool
from fimble.engine.contract import EngineState, GenerationRequest
from fimble.engine.scripted import ScriptedBackend
from fimble.engine.worker import EngineWorker
from fimble.errors import EngineError
from fimble.records import FimPrompt
from fimble.settings import Settings


class Models:
    """A pool over scripted backends that says which were loaded."""

    def __init__(self, memory_bytes_max=100):
        self.loaded = []
        self.broken = set()
        self.pool = EnginePool(self._make, lambda s: (s.model,), lambda _s: 40, memory_bytes_max)

    def _make(self, settings):
        def backend():
            if settings.model in self.broken:
                raise EngineError("broken")
            self.loaded.append(settings.model)
            made = ScriptedBackend()
            for _ in range(20):
                made.enqueue(settings.model)
            return made

        return EngineWorker(backend)

    def open(self, model, session):
        return self.pool.open(dataclasses.replace(Settings(), model=model), session)

    def state(self, model):
        return {m["model"]: m["state"] for m in self.pool.describe()}[model]


@pytest.fixture
async def models():
    made = Models()
    yield made
    made.pool.close()


async def use(engine):
    engine.start()
    await engine.wait_ready()
    [generation] = await engine.generate(GenerationRequest(FimPrompt((), (65,)), 8))
    return generation.text


async def test_sessions_of_one_model_share_one_copy(models):
    one, two = models.open("a", 1), models.open("a", 2)
    assert [await use(one), await use(two)] == ["a", "a"]
    assert models.loaded == ["a"]


async def test_least_recently_used_model_leaves_and_comes_back_when_asked(models):
    a, b, c = (models.open(name, n) for n, name in enumerate("abc"))
    await use(a)
    await use(b)
    await use(a)
    await use(c)
    assert (models.state("a"), models.state("b"), models.state("c")) == ("ready", "out of memory", "ready")
    assert b.state is EngineState.READY and b.tokenizer.encode("x") == [120]
    [generation] = await b.generate(GenerationRequest(FimPrompt((), (65,)), 8))
    assert generation.text == "b"
    assert models.state("a") == "out of memory"


async def test_closing_one_session_leaves_the_model_to_the_other(models):
    one, two = models.open("a", 1), models.open("a", 2)
    await use(one)
    one.close()
    assert one.state is EngineState.CLOSED and two.state is EngineState.READY
    with pytest.raises(EngineError):
        await one.generate(GenerationRequest(FimPrompt((), (65,)), 8))
    assert await use(two) == "a"


async def test_failed_model_is_tried_again_when_a_session_starts(models):
    models.broken.add("a")
    one = models.open("a", 1)
    one.start()
    with pytest.raises(EngineError, match="broken"):
        await one.wait_ready()
    assert one.state is EngineState.FAILED and one.error is not None
    models.broken.clear()
    two = models.open("a", 2)
    assert await use(two) == "a"
    assert one.error is None and one.state is EngineState.READY


async def test_every_session_hears_of_the_state(models):
    heard = []
    engines = [models.open("a", n) for n in (1, 2)]
    for n, engine in enumerate(engines):
        engine.on_state_change(lambda n=n: heard.append(n))
    await use(engines[0])
    for _ in range(100):
        if set(heard) == {0, 1}:
            break
        await asyncio.sleep(0.01)
    assert set(heard) == {0, 1}


async def test_sessions_see_what_their_model_did_for_everybody(models):
    one, other = models.open("a", 1), models.open("a", 2)
    assert one.usage.totals()["n_generations"] == 0
    for session in (one, other):
        session.start()
        await session.wait_ready()
        await session.generate(GenerationRequest(FimPrompt((), (1,)), 8))
    assert one.usage.totals() == other.usage.totals()
    assert one.usage.totals()["n_generations"] == 2
