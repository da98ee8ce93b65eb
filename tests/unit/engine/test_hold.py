"""A generation that is held in its decode callback: it keeps its state, is in nobody's way, and goes when it must."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from fimble.engine import gate, room
from fimble.engine.contract import GenerationRequest, Priority
from fimble.engine.heads import HeadBook
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.engine.standing import Allowance, Standing
from fimble.engine.worker import EngineWorker
from fimble.records import FimPrompt, Generation, StopReason
from scripted_app import until

LINES = "one two\nthree four\nfive six\n"


@dataclass
class Held:
    """A request that is held at the end of each line."""

    name: str = "h"
    n_tokens_max: int = 50
    standing: Standing = field(default_factory=Standing)
    text: str = ""
    n_lines: int = 1

    def should_stop(self, text: str) -> bool:
        self.text = text
        if text.count("\n") == self.n_lines and text.endswith("\n"):
            self.n_lines += 1
            self.standing.hold()
        return False

    def go_on(self, *, in_background: bool = False, n_tokens_max: int = 50) -> None:
        self.standing.go_on(time.monotonic() + 30, n_tokens_max, in_background=in_background)

    @property
    def request(self) -> GenerationRequest:
        prompt = FimPrompt((), tuple(self.name.encode()))
        return GenerationRequest(
            prompt,
            self.n_tokens_max,
            should_stop=self.should_stop,
            standing=self.standing,
            n_more_tokens_max=100,
        )


def plain(priority: Priority = Priority.TYPING, name: str = "x") -> GenerationRequest:
    return GenerationRequest(FimPrompt((), tuple(name.encode())), 50, priority)


@pytest.fixture
def backend() -> ScriptedBackend:
    answers = [Answer(LINES, when="h"), Answer("quick", when="x"), Answer("act " * 20, when="A", token_ms=10)]
    return ScriptedBackend(answers, heads=HeadBook(60, 1))


@pytest.fixture
async def worker(backend: ScriptedBackend) -> AsyncIterator[EngineWorker]:
    worker = EngineWorker(lambda: backend)
    worker.start()
    await worker.wait_ready()
    yield worker
    worker.close()


async def hold(worker: EngineWorker, held: Held) -> asyncio.Task[list[Generation]]:
    """Start the generation and wait until it is held."""
    task = asyncio.create_task(worker.generate(held.request))
    await until(lambda: worker._live.n_held and held.standing.is_held)
    return task


async def test_held_generation_goes_on_where_it_was_with_no_second_prompt(
    worker: EngineWorker, backend: ScriptedBackend
) -> None:
    held = Held()
    task = await hold(worker, held)
    assert held.text == "one two\n"
    held.go_on()
    await until(lambda: held.standing.is_held and held.text == "one two\nthree four\n")
    held.go_on(in_background=True)
    await until(lambda: held.standing.is_held and held.text == LINES)
    held.standing.end()
    [generation] = await task
    assert (generation.text, generation.stop_reason) == (LINES, StopReason.RULE)
    assert len(backend.calls) == 1
    assert worker.usage.totals()["n_prefilled_tokens"] == 1


async def test_typing_and_an_action_are_served_beside_a_hold(worker: EngineWorker) -> None:
    held = Held()
    task = await hold(worker, held)
    assert (await worker.generate(plain()))[0].text == "quick"
    assert (await worker.generate(plain(Priority.PREFETCH)))[0].text == "quick"
    assert (await worker.generate(plain(Priority.ACTION, "A")))[0].stop_reason is StopReason.END_TOKEN
    assert held.standing.is_held and not task.done()


async def test_hold_makes_way_where_its_replica_is_needed(worker: EngineWorker) -> None:
    held = Held()
    task = await hold(worker, held)
    seen: list[str] = []
    action = GenerationRequest(FimPrompt((), (ord("A"),)), 50, Priority.ACTION, on_text=seen.append)
    acting = asyncio.create_task(worker.generate(action))
    await until(lambda: seen)
    assert held.standing.is_held
    assert (await worker.generate(plain()))[0].text == "quick"
    assert (await task)[0].stop_reason is StopReason.RULE
    assert (await acting)[0].stop_reason is StopReason.END_TOKEN


async def test_newest_of_two_holds_stays(worker: EngineWorker, backend: ScriptedBackend) -> None:
    first, second = Held(), Held("hh")
    gone, kept = await hold(worker, first), asyncio.create_task(worker.generate(second.request))
    assert (await gone)[0].text == "one two\n"
    await until(lambda: second.standing.is_held and worker._live.n_held == 1)
    second.standing.end()
    assert (await kept)[0].text == "one two\n"


async def test_hold_goes_on_when_the_one_who_types_is_served(worker: EngineWorker, backend: ScriptedBackend) -> None:
    held = Held()
    await hold(worker, held)
    backend.answers.insert(0, Answer("word " * 20, when="y", token_ms=10))
    typing = asyncio.create_task(worker.generate(plain(name="y")))
    await until(lambda: len(backend.calls) == 2)
    held.go_on()
    await typing
    await until(lambda: held.standing.is_held)
    assert held.text == "one two\nthree four\n"


async def test_hold_that_is_to_go_on_in_the_background_waits_for_typing(
    worker: EngineWorker, backend: ScriptedBackend
) -> None:
    held = Held()
    task = await hold(worker, held)
    backend.answers.insert(0, Answer("word " * 20, when="y", token_ms=10))
    typing = asyncio.create_task(worker.generate(plain(name="y")))
    await until(lambda: len(backend.calls) == 2)
    held.go_on(in_background=True)
    await until(lambda: held.standing.is_held)
    await typing
    assert (held.text, task.done()) == ("one two\n", False)
    held.go_on()
    await until(lambda: held.standing.is_held and held.text == "one two\nthree four\n")


@pytest.mark.parametrize("priority", [Priority.TYPING, Priority.ACTION])
async def test_one_that_goes_on_in_the_background_is_held_again_for_others(
    worker: EngineWorker, backend: ScriptedBackend, priority: Priority
) -> None:
    backend.answers[0] = Answer("one two\n" + "three " * 200, when="h", token_ms=5)
    backend.answers[1].prefill_ms = 60
    held = Held()
    task = await hold(worker, held)
    held.go_on(in_background=True, n_tokens_max=400)
    await until(lambda: "three" in held.text)
    assert (await worker.generate(plain(priority)))[0].text == "quick"
    assert held.standing.is_held
    n_chars = len(held.text)
    held.go_on()
    await until(lambda: len(held.text) > n_chars)
    assert not task.done()
    assert len(backend.calls) == 2


async def test_hold_does_not_last(worker: EngineWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "HOLD_S_MAX", 0.02)
    [generation] = await worker.generate(Held().request)
    assert (generation.text, generation.stop_reason) == ("one two\n", StopReason.RULE)


async def test_clock_of_a_hold_stands_still(worker: EngineWorker) -> None:
    held = Held()
    request = held.request
    object.__setattr__(request, "deadline_at_s", time.monotonic() + 0.2)
    task = asyncio.create_task(worker.generate(request))
    await until(lambda: held.standing.is_held)
    await until(lambda: time.monotonic() > (request.deadline_at_s or 0))
    assert not task.done()
    held.go_on()
    await until(lambda: held.standing.is_held)
    assert held.text == "one two\nthree four\n"


async def test_tokens_are_bounded_in_each_stretch_and_in_all(worker: EngineWorker) -> None:
    held = Held(n_tokens_max=3)
    task = await hold(worker, held)
    held.go_on(n_tokens_max=2)
    [generation] = await task
    assert (generation.text, generation.stop_reason) == ("one two\nthree four", StopReason.LENGTH)


async def test_cancelled_hold_ends_and_says_so(worker: EngineWorker) -> None:
    held = Held()
    request = held.request
    task = asyncio.create_task(worker.generate(request))
    await until(lambda: held.standing.is_held)
    request.token.cancel()
    held.standing.tell()
    assert (await task)[0].stop_reason is StopReason.CANCELLED


async def test_close_ends_a_hold_and_leaves_no_thread(worker: EngineWorker) -> None:
    held = Held()
    task = await hold(worker, held)
    threads = list(worker._threads)
    assert len(threads) == 3
    worker.close()
    assert not any(thread.is_alive() for thread in threads)
    assert (await task)[0].stop_reason is StopReason.CANCELLED


async def test_weights_leave_memory_in_spite_of_a_hold(backend: ScriptedBackend) -> None:
    worker = EngineWorker(lambda: backend, idle_unload_s=0.05)
    worker.start()
    await worker.wait_ready()
    task = await hold(worker, Held())
    n_rests = backend.n_rests
    assert (await task)[0].text == "one two\n"
    await until(lambda: backend.n_rests > n_rests)
    assert (await worker.generate(plain()))[0].text == "quick"
    worker.close()


async def test_full_memory_is_emptied_for_a_head_in_spite_of_a_hold(
    worker: EngineWorker, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "QUIET_S", 0.0)
    held = Held()
    for name, n_rests in (("a", 0), ("b", 1)):
        task = await hold(worker, held) if name == "b" else None
        head = tuple(name.encode() * 40)
        warm = GenerationRequest(FimPrompt(head, head[-1:]), 1, Priority.PREFETCH, warms_head=True)
        [row] = await worker.generate(warm)
        assert (row.n_kept_tokens, backend.n_rests) == (40, n_rests)
    assert task is not None
    assert (await task)[0].stop_reason is StopReason.RULE


async def test_head_of_one_that_is_held_is_in_the_book(worker: EngineWorker, backend: ScriptedBackend) -> None:
    held = Held()
    request = replace(held.request, prompt=FimPrompt((ord("h"),) * 40, (ord("h"),)))
    task = asyncio.create_task(worker.generate(request))
    await until(lambda: held.standing.is_held)
    assert backend.heads is not None
    assert backend.heads.has((ord("h"),) * 40)
    held.standing.end()
    assert (await task)[0].n_kept_tokens == 40


async def test_backend_with_one_lane_holds_nothing(backend: ScriptedBackend) -> None:
    backend.n_lanes = 1
    worker = EngineWorker(lambda: backend)
    worker.start()
    await worker.wait_ready()
    [generation] = await worker.generate(Held().request)
    assert (generation.text, generation.stop_reason) == ("one two\n", StopReason.RULE)
    worker.close()


def test_allowance_is_that_of_the_stretch_and_of_all() -> None:
    standing = Standing()
    allowance = Allowance(2, 3, standing)
    spent = []
    for _ in range(2):
        allowance.take()
        spent.append(allowance.is_spent)
    standing.go_on(0.0, 9, in_background=False)
    spent.append(allowance.is_spent)
    for _ in range(3):
        allowance.take()
        spent.append(allowance.is_spent)
    assert spent == [False, True, False, False, False, True]
    assert Allowance(2, 3, None).n_in_all_max == 2
