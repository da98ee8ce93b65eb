"""Whose generation runs next on a model that editors share. Knows sessions as numbers and runs nothing itself."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from fimble.engine.contract import GenerationRequest, Priority
from fimble.errors import EngineError
from fimble.records import DeclineReason, Generation, StopReason

WAITING_MAX = {Priority.TYPING: 4, Priority.PREFETCH: 1, Priority.ACTION: 8}
"""Requests of one session that may wait; of typing and prefetch the newest count, of actions the first."""

Run = Callable[[GenerationRequest], Awaitable[list[Generation]]]


@dataclass(eq=False)
class _Waiting:
    request: GenerationRequest
    future: asyncio.Future[list[Generation]]
    queued_at_s: float = field(default_factory=time.monotonic)

    @property
    def queue_ms(self) -> float:
        return (time.monotonic() - self.queued_at_s) * 1000


class _Lane:
    """One running request of a priority, and each session's waiting ones in turn."""

    def __init__(self, n_waiting_max: int) -> None:
        self.n_waiting_max = n_waiting_max
        self.running: set[_Waiting] = set()
        self.queues: OrderedDict[int, deque[_Waiting]] = OrderedDict()

    def next(self) -> tuple[int, _Waiting] | None:
        """Take the oldest request of the session whose turn it is; that session goes to the end of the line."""
        while self.queues:
            session, queue = next(iter(self.queues.items()))
            one = queue.popleft() if queue else None
            if queue:
                self.queues.move_to_end(session)
            else:
                del self.queues[session]
            if one is not None and not one.future.done():
                return session, one
        return None

    @property
    def n_waiting(self) -> int:
        return sum(len(queue) for queue in self.queues.values())

    @property
    def is_taken(self) -> bool:
        """Whether somebody waits for what runs; an answer that only goes on in the background gives way."""
        return any(not (one.request.standing and one.request.in_background) for one in self.running)

    @property
    def is_at_work(self) -> bool:
        """Whether anything is decoded; what is held takes nobody's turn."""
        return any(not one.request.is_held for one in self.running)


class Scheduler:
    """Round robin between sessions, typing before prefetch, actions on their own; one of each under way.

    **Invariant:** the engine's own queue holds no more than one awaited request of a priority, so the order is decided
    here, and no session's burst can stand before another's key.
    All methods belong to the event loop.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lanes = {priority: _Lane(WAITING_MAX[priority]) for priority in Priority}
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: dict[int, set[_Waiting]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def submit(self, session: int, request: GenerationRequest) -> list[Generation]:
        """Wait for the session's turn and run the request; see `Engine.generate`.

        The time spent here counts in each generation's `queue_ms`.
        Errors: those of the engine; EngineError if too many actions of the session wait.
        """
        self._loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Generation]] = self._loop.create_future()
        self._enqueue(session, _Waiting(request, future))
        self._dispatch()
        try:
            return await future
        except asyncio.CancelledError:
            request.token.cancel()
            raise

    def forget(self, session: int) -> None:
        """Drop what a session has waiting and stop what it has running."""
        for lane in self._lanes.values():
            for one in lane.queues.pop(session, ()):
                _settle(one, StopReason.CANCELLED)
        for one in self._running.pop(session, set()):
            one.request.token.cancel(DeclineReason.SHUTTING_DOWN)
            if one.request.standing is not None:
                one.request.standing.tell()

    @property
    def n_waiting(self) -> int:
        return sum(lane.n_waiting for lane in self._lanes.values())

    @property
    def is_busy(self) -> bool:
        """Whether anything waits or is decoded; what is held ends with the model."""
        return self.n_waiting > 0 or any(lane.is_at_work for lane in self._lanes.values())

    def _enqueue(self, session: int, one: _Waiting) -> None:
        lane = self._lanes[one.request.priority]
        queue = lane.queues.setdefault(session, deque())
        if len(queue) >= lane.n_waiting_max:
            if one.request.priority is Priority.ACTION:
                raise EngineError("too many actions wait for the model", "let one end, or cancel it")
            oldest = queue.popleft()
            oldest.request.token.cancel(DeclineReason.SUPERSEDED)
            _settle(oldest, StopReason.CANCELLED)
        queue.append(one)

    def _dispatch(self) -> None:
        typing, prefetch, action = (self._lanes[p] for p in (Priority.TYPING, Priority.PREFETCH, Priority.ACTION))
        for lane in (typing, prefetch, action):
            if lane.is_taken or (lane is prefetch and (lane.running or typing.is_at_work or typing.n_waiting)):
                continue
            while (turn := lane.next()) is not None:
                session, one = turn
                if (reason := _why_not(one.request)) is not None:
                    _settle(one, reason)
                    continue
                self._start(lane, session, one)
                break

    def _start(self, lane: _Lane, session: int, one: _Waiting) -> None:
        if one.request.standing is not None:
            one.request.standing.watch(self._look_again)
        lane.running.add(one)
        self._running.setdefault(session, set()).add(one)
        task = asyncio.create_task(self._follow(lane, session, one))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _look_again(self) -> None:
        """Take that something that runs got out of the others' way, or into it; called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._dispatch)

    async def _follow(self, lane: _Lane, session: int, one: _Waiting) -> None:
        waited_ms = one.queue_ms
        try:
            generations = await self._run(one.request)
            if not one.future.done():
                one.future.set_result([replace(g, queue_ms=g.queue_ms + waited_ms) for g in generations])
        except Exception as error:
            if not one.future.done():
                one.future.set_exception(error)
        finally:
            lane.running.discard(one)
            running = self._running.get(session, set())
            running.discard(one)
            if not running:
                self._running.pop(session, None)
            self._dispatch()


def _why_not(request: GenerationRequest) -> StopReason | None:
    """Say why a request whose turn has come is not worth running any more."""
    if request.token.cancelled:
        return StopReason.CANCELLED
    if request.deadline_at_s is not None and time.monotonic() >= request.deadline_at_s:
        return StopReason.DEADLINE
    return None


def _settle(one: _Waiting, reason: StopReason) -> None:
    if not one.future.done():
        one.future.set_result([Generation("", 0, reason, queue_ms=one.queue_ms)])
