"""Whose turn it is on a shared model."""

from __future__ import annotations

import asyncio
import time

import pytest

from fimble.daemon.scheduler import WAITING_MAX, Scheduler
from fimble.engine.contract import GenerationRequest, Priority
from fimble.engine.standing import Standing
from fimble.errors import EngineError
from fimble.records import DeclineReason, FimPrompt, Generation, StopReason


class Model:
    """Runs what it is told to, one release at a time."""

    def __init__(self):
        self.started = []
        self._gates = []

    async def run(self, request):
        self.started.append(request.prompt.tail[0])
        gate = asyncio.get_running_loop().create_future()
        self._gates.append(gate)
        await gate
        return [Generation(str(request.prompt.tail[0]), 1, StopReason.END_TOKEN, queue_ms=1.0)]

    async def release(self, n=1):
        for _ in range(n):
            self._gates.pop(0).set_result(None)
            await settle()


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


def ask(number, priority=Priority.TYPING, **more):
    return GenerationRequest(FimPrompt((), (number,)), 8, priority, **more)


def submit(scheduler, session, request):
    return asyncio.ensure_future(scheduler.submit(session, request))


async def test_sessions_take_turns_whoever_asks_most():
    model = Model()
    scheduler = Scheduler(model.run)
    for number in (10, 11, 12, 13):
        submit(scheduler, 1, ask(number))
    for number in (20, 21):
        submit(scheduler, 2, ask(number))
    submit(scheduler, 3, ask(30))
    await settle()
    await model.release(7)
    assert model.started == [10, 11, 20, 30, 12, 21, 13]


async def test_one_of_a_priority_runs_at_a_time_and_actions_beside_typing():
    model = Model()
    scheduler = Scheduler(model.run)
    for number, priority in ((1, Priority.ACTION), (2, Priority.ACTION), (3, Priority.TYPING), (4, Priority.TYPING)):
        submit(scheduler, number, ask(number, priority))
    await settle()
    assert model.started == [1, 3]


async def test_prefetch_waits_for_typing_but_typing_not_for_prefetch():
    model = Model()
    scheduler = Scheduler(model.run)
    submit(scheduler, 1, ask(1, Priority.PREFETCH))
    await settle()
    submit(scheduler, 2, ask(2))
    submit(scheduler, 3, ask(3, Priority.PREFETCH))
    await settle()
    assert model.started == [1, 2]
    await model.release(2)
    assert model.started == [1, 2, 3]


async def test_newest_of_a_session_wins_when_its_queue_is_full():
    model = Model()
    scheduler = Scheduler(model.run)
    submit(scheduler, 2, ask(0))
    await settle()
    requests = [ask(n) for n in range(1, WAITING_MAX[Priority.TYPING] + 3)]
    futures = [submit(scheduler, 1, request) for request in requests]
    await settle()
    [first] = await futures[0]
    assert first.stop_reason is StopReason.CANCELLED
    assert [r.token.reason for r in requests[:3]] == [DeclineReason.SUPERSEDED, DeclineReason.SUPERSEDED, None]


async def test_too_many_actions_are_refused():
    scheduler = Scheduler(Model().run)
    running = [submit(scheduler, 1, ask(n, Priority.ACTION)) for n in range(WAITING_MAX[Priority.ACTION] + 1)]
    await settle()
    with pytest.raises(EngineError, match="too many"):
        await scheduler.submit(1, ask(99, Priority.ACTION))
    assert not any(one.done() for one in running)


async def test_time_in_the_queue_is_reported():
    model = Model()
    scheduler = Scheduler(model.run)
    submit(scheduler, 1, ask(1))
    waiting = submit(scheduler, 2, ask(2))
    await asyncio.sleep(0.03)
    await model.release(2)
    [generation] = await waiting
    assert generation.queue_ms >= 30


async def test_cancelled_and_late_requests_do_not_reach_the_model():
    model = Model()
    scheduler = Scheduler(model.run)
    submit(scheduler, 1, ask(1))
    await settle()
    cancelled, late = ask(2), ask(3, deadline_at_s=time.monotonic() - 1)
    cancelled.token.cancel()
    futures = [submit(scheduler, 2, cancelled), submit(scheduler, 3, late), submit(scheduler, 4, ask(4))]
    await settle()
    await model.release(2)
    assert model.started == [1, 4]
    reasons = [(await future)[0].stop_reason for future in futures[:2]]
    assert reasons == [StopReason.CANCELLED, StopReason.DEADLINE]


async def test_a_session_that_leaves_frees_the_model_for_the_others():
    model = Model()
    scheduler = Scheduler(model.run)
    running = ask(1)
    gone = [submit(scheduler, 1, running), submit(scheduler, 1, ask(2))]
    submit(scheduler, 2, ask(3))
    await settle()
    scheduler.forget(1)
    await settle()
    assert running.token.cancelled and gone[1].done()
    await model.release()
    assert model.started == [1, 3]


async def test_an_error_reaches_the_one_who_asked_and_the_next_one_runs():
    async def run(request):
        if request.prompt.tail[0] == 1:
            raise EngineError("broken")
        return []

    scheduler = Scheduler(run)
    broken, whole = submit(scheduler, 1, ask(1)), submit(scheduler, 2, ask(2))
    with pytest.raises(EngineError, match="broken"):
        await broken
    assert await whole == []


async def test_what_is_held_takes_nobodys_turn():
    model = Model()
    scheduler = Scheduler(model.run)
    held = ask(1, standing=Standing())
    submit(scheduler, 1, held)
    submit(scheduler, 2, ask(2))
    await settle()
    assert model.started == [1]
    held.standing.hold()
    await settle()
    assert model.started == [1, 2]
    submit(scheduler, 2, ask(3, Priority.PREFETCH))
    await settle()
    assert model.started == [1, 2]
    model._gates.pop(1).set_result(None)
    await settle()
    assert model.started == [1, 2, 3]
    model._gates.pop(1).set_result(None)
    await settle()
    assert not scheduler.is_busy


async def test_one_that_goes_on_has_its_turn_again():
    model = Model()
    scheduler = Scheduler(model.run)
    held = ask(1, standing=Standing())
    submit(scheduler, 1, held)
    await settle()
    held.standing.hold()
    held.standing.go_on(time.monotonic() + 9, 9, in_background=False)
    submit(scheduler, 2, ask(2))
    await settle()
    assert model.started == [1]
    assert scheduler.is_busy
    await model.release()
    assert model.started == [1, 2]


async def test_answer_that_goes_on_in_the_background_lets_others_past_at_once():
    model = Model()
    scheduler = Scheduler(model.run)
    running = ask(1, standing=Standing())
    submit(scheduler, 1, running)
    submit(scheduler, 2, ask(2))
    await settle()
    running.standing.in_background = True
    await settle()
    assert model.started == [1, 2]


async def test_session_that_leaves_takes_what_it_holds_along():
    model = Model()
    scheduler = Scheduler(model.run)
    held = ask(1, standing=Standing())
    submit(scheduler, 1, held)
    await settle()
    held.standing.hold()
    told = []
    held.standing.watch(lambda: told.append(held.token.cancelled))
    scheduler.forget(1)
    assert told == [True]
