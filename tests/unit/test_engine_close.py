"""What closing the engine leaves behind."""

from __future__ import annotations

import asyncio
import threading

from fimble.engine.contract import EngineState, GenerationRequest
from fimble.engine.scripted import ScriptedBackend
from fimble.engine.worker import EngineWorker
from fimble.records import FimPrompt


class WatchedBackend(ScriptedBackend):
    """Counts how often it was unloaded; `hold` keeps a generation from ending."""

    n_unloaded = 0
    hold: threading.Event | None = None
    started = threading.Event()

    def unload(self):
        self.n_unloaded += 1

    def run(self, request, on_token):
        self.started.set()
        if self.hold is not None:
            self.hold.wait(20)
        return super().run(request, on_token)


async def test_close_unloads_the_model_so_that_no_thread_outlives_the_interpreter():
    backend = WatchedBackend()
    worker = EngineWorker(lambda: backend)
    worker.start()
    await worker.wait_ready()
    worker.close()
    assert (worker.state, backend.n_unloaded) == (EngineState.CLOSED, 1)


async def test_model_is_not_unloaded_under_a_generation_that_does_not_end():
    backend = WatchedBackend()
    backend.hold = threading.Event()
    worker = EngineWorker(lambda: backend)
    worker.start()
    await worker.wait_ready()
    running = asyncio.ensure_future(worker.generate(GenerationRequest(FimPrompt((), (65,)), n_tokens_max=1)))
    await asyncio.to_thread(backend.started.wait, 20)
    worker.close(timeout_s=0.01)
    assert backend.n_unloaded == 0
    backend.hold.set()
    await asyncio.wait_for(running, 20)
