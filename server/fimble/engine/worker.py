"""One owner of the model: queues, priorities, pause, cancellation, deadlines. Knows no model library and no editor."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from fimble.engine.contract import Backend, EngineState, GenerationRequest, Priority, Tokenizer
from fimble.engine.figures import Figures
from fimble.engine.gate import Gate
from fimble.engine.jobs import Job, LiveJobs, Outcome, awaited
from fimble.engine.rest import Rest
from fimble.engine.room import ENDING_S_MAX, Room
from fimble.engine.stepping import Stepper
from fimble.engine.usage import Usage
from fimble.errors import EngineError, FimbleError, ModelNotInstalledError
from fimble.records import FimPrompt, Generation, StopReason

RETRY_S = 2.0
"""How often a missing model is looked for again, and weights that would not leave memory are put out again."""


class EngineWorker:
    """Runs a backend on its own threads: one lane for typing and prefetch, one for actions.

    **Invariant:** only this class calls the backend. While a typing request waits or runs, an action's
    generation is blocked inside its decode callback and keeps its state; what runs in the background is stopped.
    A generation of the typing lane that is held is blocked in the same way, on one of the lane's two threads, of which
    one at a time decodes. It has one of the backend's replicas, and ends where somebody else needs that.
    Source: typing beside an action paused by its blocked callback takes 1.06 times as long (server/bench/README.md).
    """

    def __init__(self, make_backend: Callable[[], Backend], idle_unload_s: float = 0) -> None:
        """The weights leave memory after `idle_unload_s` without a request, and come back with the next; 0: never."""
        self._rest = Rest(idle_unload_s)
        self._make_backend = make_backend
        self._backend: Backend | None = None
        self._state = EngineState.UNLOADED
        self._error: FimbleError | None = None
        self._condition = threading.Condition()
        self._queues: tuple[list[Job], list[Job]] = ([], [])
        self._sequence = itertools.count()
        self._live = LiveJobs()
        self._gate = Gate(self._condition, self._live, lambda: self._closed)
        self._room = Room(self._condition, self._live, self._rest)
        self._threads: list[threading.Thread] = []
        self._listeners: list[Callable[[], None]] = []
        self.usage = Usage()
        self.figures: Figures | None = None

    @property
    def state(self) -> EngineState:
        return self._state

    @property
    def error(self) -> FimbleError | None:
        return self._error

    @property
    def tokenizer(self) -> Tokenizer:
        if self._backend is None or self._state is not EngineState.READY:
            raise EngineError(f"the model is {self._state.value}")
        return self._backend.tokenizer

    def on_state_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` (from the engine's thread) whenever `state` changes."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Load the model in the background; once."""
        with self._condition:
            if self._state is not EngineState.UNLOADED:
                return
            self._state = EngineState.LOADING
        thread = threading.Thread(target=self._load_and_serve, name="fimble-engine", daemon=True)
        self._threads.append(thread)
        thread.start()

    async def wait_ready(self) -> None:
        """Wait for the load to end. Errors: what made it fail."""
        loop, settled = asyncio.get_running_loop(), asyncio.Event()

        def settle() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(settled.set)

        self.on_state_change(settle)
        if self._state in (EngineState.UNLOADED, EngineState.LOADING):
            await settled.wait()
        if self._error is not None:
            raise self._error
        if self._state is EngineState.CLOSED:
            raise EngineError("the engine is closed")

    async def generate(self, request: GenerationRequest) -> list[Generation]:
        """Queue the request and wait for it; see `Engine.generate`."""
        future, resolve = awaited()
        self._enqueue(request, resolve)
        try:
            return await future
        except asyncio.CancelledError:
            request.token.cancel()
            self._wake()
            raise

    def close(self, timeout_s: float = 2.0) -> None:
        """Stop everything within one decoded token and end the threads; waits `timeout_s` at most."""
        with self._condition:
            self._state = EngineState.CLOSED
            self._condition.notify_all()
        for listener in self._listeners:
            listener()
        deadline_at_s = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline_at_s - time.monotonic()))
        if self._backend is not None and not any(thread.is_alive() for thread in self._threads):
            # Threads of the library's own still hold our callback for a moment; one that wants the interpreter
            # while that ends would abort the process. Unloading waits for them.
            self._backend.unload()

    @property
    def n_queued(self) -> int:
        return len(self._queues[0]) + len(self._queues[1])

    def is_quiet(self, quiet_s: float) -> bool:
        """Say whether nothing waits or is decoded, and nobody has typed for so long."""
        with self._condition:
            return self._live.is_quiet_but_for(None, quiet_s)

    def _enqueue(self, request: GenerationRequest, resolve: Callable[[Outcome], None]) -> None:
        if request.standing is not None:
            request.standing.watch(self._wake)
        with self._condition:
            if self._state is not EngineState.READY or self._backend is None:
                resolve(self._error or EngineError(f"the model is {self._state.value}"))
                return
            job = Job(request.priority, next(self._sequence), request, resolve)
            self._live.add(job)
            is_beside = request.priority is Priority.ACTION or request.warms_head
            job.n_lane = 1 if is_beside and self._backend.n_lanes > 1 else 0
            heapq.heappush(self._queues[job.n_lane], job)
            self._condition.notify_all()

    def _wake(self) -> None:
        """Have the threads look again."""
        with self._condition:
            self._condition.notify_all()

    def _load_and_serve(self) -> None:
        while True:
            try:
                backend = self._make_backend()
                backend.load()
                break
            except ModelNotInstalledError as error:
                # It may be pulled while the editor is open: look again until it is there.
                if not self._wait_for_install(error):
                    return
            except Exception as error:
                self._fail(error)
                return
        self._backend = backend
        if backend.n_lanes > 1:
            for n_lane, name in ((0, "fimble-engine-2"), (1, "fimble-actions")):
                thread = threading.Thread(target=self._serve, args=(n_lane,), name=name, daemon=True)
                self._threads.append(thread)
                thread.start()
        if self._set_state(EngineState.READY):
            self._serve(0)

    def _wait_for_install(self, error: ModelNotInstalledError) -> bool:
        """Be MISSING for a while; gives whether to try again."""
        if self._state is not EngineState.MISSING and not self._set_state(EngineState.MISSING, error):
            return False
        with self._condition:
            self._condition.wait_for(lambda: self._closed, RETRY_S)
        return not self._closed

    def _fail(self, error: Exception) -> None:
        known = error if isinstance(error, FimbleError) else EngineError(f"the model could not be loaded: {error}")
        self._set_state(EngineState.FAILED, known)

    def _set_state(self, state: EngineState, error: FimbleError | None = None) -> bool:
        with self._condition:
            if self._state is EngineState.CLOSED:
                return False
            self._state, self._error = state, error
            self._condition.notify_all()
        for listener in self._listeners:
            listener()
        return True

    def _serve(self, n_lane: int) -> None:
        while (job := self._next(n_lane)) is not None:
            try:
                outcome: Outcome = self._run(job)
            except FimbleError as error:
                outcome = error
            except Exception as error:
                outcome = EngineError(f"the engine failed: {error}")
            finally:
                with self._condition:
                    self._live.remove(job)
                    self._condition.notify_all()
            job.resolve(outcome)
            if self._backend is not None:
                self._backend.tidy()

    def _next(self, n_lane: int) -> Job | None:
        with self._condition:
            while not self._may_begin(n_lane):
                if self._closed:
                    return None
                wait_s = self._rest.wait_s(self._live.idle_since_s) if n_lane == 0 and self._live.is_idle else None
                if wait_s == 0.0 and self._backend is not None:
                    # Under the lock, so that nothing begins meanwhile; it takes less than a tenth of a second.
                    if self._live.end_holds():
                        wait_s = ENDING_S_MAX
                    elif self._rest.settle(self._backend):
                        continue
                    else:
                        wait_s = RETRY_S
                self._condition.wait(wait_s)
            job = heapq.heappop(self._queues[n_lane])
            job.is_running = True
            if self._closed:
                job.request.token.cancel()
            return job

    def _may_begin(self, n_lane: int) -> bool:
        """Say whether the lane's next job may be taken; where what is held has its replica, that is to end first."""
        if not self._queues[n_lane] or self._room.is_dropping or self._live.runs_in(n_lane):
            return False
        if self._backend is None or self._live.n_begun < self._backend.n_lanes:
            return True
        self._live.end_holds(max(0, self._live.n_held - 1))
        return False

    def _run(self, job: Job) -> list[Generation]:
        started_at_s = time.monotonic()
        queue_ms = (started_at_s - job.queued_at_s) * 1000
        request, backend = job.request, self._backend
        assert backend is not None
        if request.token.cancelled:
            return [Generation("", 0, StopReason.CANCELLED, queue_ms=queue_ms)]
        self._rest.rouse(backend)
        head, heads = request.prompt.head, backend.heads
        if head and not self._room.admits(request, backend):
            if request.warms_head:
                return [Generation("", 0, StopReason.CANCELLED, queue_ms=queue_ms)]
            request = replace(request, prompt=FimPrompt((), (*head, *request.prompt.tail)))
        was_kept = heads is not None and heads.has(head)
        n_kept_tokens = len(request.prompt.head)
        if n_kept_tokens and heads is not None:
            heads.keep(head)  # it is read long before one that is held is over
        if request.standing is not None:
            request.standing.n_kept_tokens = n_kept_tokens
        stepper = Stepper(request, backend.tokenizer, started_at_s, lambda: self._gate(job, backend))
        rows = backend.run(request, stepper.on_token)
        n_given_tokens = sum(map(len, request.starts))
        n_read_tokens = len(request.prompt.tail) + (0 if was_kept else n_kept_tokens) + n_given_tokens
        n_written_tokens = 1 if request.first_tokens else sum(len(row.ids) for row in rows) - n_given_tokens
        self.usage.add(n_read_tokens, n_written_tokens)
        return [replace(stepper.generation(row, queue_ms), n_kept_tokens=n_kept_tokens) for row in rows]

    @property
    def _closed(self) -> bool:
        return self._state is EngineState.CLOSED
