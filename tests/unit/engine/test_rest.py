"""Weights leave memory when nothing is asked for, and come back with the next request."""

from __future__ import annotations

from fimble.engine.contract import EngineState, GenerationRequest, Priority
from fimble.engine.heads import HeadBook
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.engine.worker import EngineWorker
from fimble.records import FimPrompt
from scripted_app import until

PROMPT = FimPrompt((), (ord("x"),))


async def started(backend: ScriptedBackend, idle_unload_s: float) -> EngineWorker:
    worker = EngineWorker(lambda: backend, idle_unload_s)
    worker.start()
    await worker.wait_ready()
    return worker


async def test_weights_leave_and_come_back_with_the_next_request() -> None:
    heads = HeadBook(100, 1)
    backend = ScriptedBackend([Answer("text")], heads=heads)
    worker = await started(backend, 0.02)
    await worker.generate(GenerationRequest(FimPrompt((1, 2), (3,)), 1, Priority.PREFETCH, warms_head=True))
    # It may have rested before the request too, and forgets the heads once the backend rests.
    await until(lambda: backend.n_rests and not heads.n_heads)
    assert worker.state is EngineState.READY
    for priority in (Priority.TYPING, Priority.ACTION):
        [row] = await worker.generate(GenerationRequest(PROMPT, 9, priority))
        assert row.text == "text"
    assert backend.n_wakes >= 1
    worker.close()


async def test_weights_stay_while_something_runs_and_where_the_setting_is_0() -> None:
    backend = ScriptedBackend([Answer("a b c d e", token_ms=20)])
    worker = await started(backend, 0.01)
    await until(lambda: backend.n_rests)
    [row] = await worker.generate(GenerationRequest(PROMPT, 9, Priority.ACTION))
    assert (row.text, backend.n_rests, backend.n_wakes) == ("a b c d e", 1, 1)
    worker.close()
    kept = ScriptedBackend([Answer("a")])
    worker = await started(kept, 0)
    await worker.generate(GenerationRequest(PROMPT, 9))
    worker.close()
    assert kept.n_rests == 0
