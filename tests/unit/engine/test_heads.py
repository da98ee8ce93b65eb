"""Heads that are kept read: within bounds, built in idle time, dropped when nothing else is going on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from fimble.engine import room
from fimble.engine.contract import GenerationRequest, Priority
from fimble.engine.heads import AGE_S_MAX, HEADS_MAX, HeadBook
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.engine.worker import EngineWorker
from fimble.records import FimPrompt, Generation, StopReason

FIRST, SECOND, TAIL = tuple(b"a" * 40), tuple(b"b" * 40), tuple(b"tail")


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend([Answer("x")], heads=HeadBook(60, 1))


@pytest.fixture
async def worker(backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EngineWorker]:
    monkeypatch.setattr(room, "QUIET_S", 0.0)
    worker = EngineWorker(lambda: backend)
    worker.start()
    await worker.wait_ready()
    yield worker
    worker.close()


async def warm(worker: EngineWorker, head: tuple[int, ...]) -> Generation:
    prompt = FimPrompt(head, TAIL[:1])
    [row] = await worker.generate(GenerationRequest(prompt, 1, Priority.PREFETCH, warms_head=True))
    return row


async def ask(worker: EngineWorker, head: tuple[int, ...]) -> Generation:
    [row] = await worker.generate(GenerationRequest(FimPrompt(head, TAIL), 8))
    return row


def test_book_is_bounded_in_bytes_number_and_age() -> None:
    now_s = 0.0
    book = HeadBook(1000, 10, lambda: now_s)
    assert not book.may_hold(tuple(range(101)))
    assert not book.may_hold(())
    assert book.may_hold(tuple(range(100)))
    book.keep(tuple(range(60)))
    assert book.has_room(tuple(range(40)))
    assert not book.has_room(tuple(range(41)))
    now_s = AGE_S_MAX + 1
    assert not book.has_room((1,))
    assert book.has(tuple(range(60)))
    assert book.has_room((1,))
    book.clear()
    assert not book.has(tuple(range(60)))
    for number in range(HEADS_MAX):
        assert book.has_room((number,))
        book.keep((number,))
    assert not book.has_room((HEADS_MAX,))


async def test_head_is_kept_by_its_first_request_and_read_no_more(
    worker: EngineWorker, backend: ScriptedBackend
) -> None:
    assert (await ask(worker, FIRST)).n_kept_tokens == len(FIRST)
    assert worker.usage.totals()["n_prefilled_tokens"] == len(FIRST) + len(TAIL)
    assert (await ask(worker, FIRST)).n_kept_tokens == len(FIRST)
    assert backend.calls[-1].prompt == FimPrompt(FIRST, TAIL)
    assert worker.usage.totals()["n_prefilled_tokens"] == len(FIRST) + 2 * len(TAIL)


async def test_beginning_that_is_given_counts_as_read(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.answers = [Answer("", words={"wo": 0.0}, rows=["word"])]
    prompt, start = FimPrompt((), TAIL), tuple(b"wo")
    [row] = await worker.generate(GenerationRequest(prompt, 8, starts=(start,)))
    assert row.text == "word"
    totals = worker.usage.totals()
    assert (totals["n_prefilled_tokens"], totals["n_decoded_tokens"]) == (len(TAIL) + 2, 2)


async def test_head_is_read_like_the_tail_where_there_is_no_room(
    worker: EngineWorker, backend: ScriptedBackend
) -> None:
    await ask(worker, FIRST)
    assert (await ask(worker, SECOND)).n_kept_tokens == 0
    assert backend.calls[-1].prompt == FimPrompt((), SECOND + TAIL)
    assert backend.heads is not None and backend.heads.has(FIRST)
    assert (await warm(worker, SECOND)).n_kept_tokens == len(SECOND)
    assert (await ask(worker, SECOND)).n_kept_tokens == len(SECOND)


async def test_full_memory_is_emptied_for_a_head_that_is_asked_for_again(
    worker: EngineWorker, backend: ScriptedBackend
) -> None:
    kept = [(await ask(worker, head)).n_kept_tokens for head in (FIRST, SECOND, FIRST, SECOND, SECOND, FIRST)]
    assert kept == [40, 0, 40, 40, 40, 0]
    assert backend.n_rests == backend.n_wakes == 1


async def test_memory_is_not_emptied_under_an_action(worker: EngineWorker, backend: ScriptedBackend) -> None:
    await ask(worker, FIRST)
    backend.answers.insert(0, Answer("word " * 400, token_ms=10, times=1))
    request = GenerationRequest(FimPrompt((), TAIL), 2000, Priority.ACTION)
    action = asyncio.ensure_future(worker.generate(request))
    while len(backend.calls) < 2:
        await asyncio.sleep(0.002)
    assert [(await ask(worker, SECOND)).n_kept_tokens for _ in range(3)] == [0, 0, 0]
    assert backend.n_rests == 0
    request.token.cancel()
    await action


async def test_full_memory_is_emptied_for_a_new_head_when_nobody_types(
    worker: EngineWorker, backend: ScriptedBackend
) -> None:
    await warm(worker, FIRST)
    await warm(worker, SECOND)
    assert backend.n_rests == 1
    assert (await ask(worker, FIRST)).n_kept_tokens == 0
    assert (await ask(worker, SECOND)).n_kept_tokens == len(SECOND)


async def test_memory_is_not_emptied_soon_after_typing(
    worker: EngineWorker, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    await warm(worker, FIRST)
    await ask(worker, FIRST)
    monkeypatch.setattr(room, "QUIET_S", 60.0)
    assert (await warm(worker, SECOND)).stop_reason is StopReason.CANCELLED
    assert backend.n_rests == 0


async def test_head_is_not_read_while_somebody_waits(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.answers.insert(0, Answer("word " * 40, token_ms=10, times=1))
    typing = asyncio.ensure_future(worker.generate(GenerationRequest(FimPrompt((), TAIL), 40)))
    while not backend.calls:
        await asyncio.sleep(0.002)
    assert (await warm(worker, FIRST)).stop_reason is StopReason.CANCELLED
    await typing


@pytest.mark.parametrize("heads", [None, HeadBook(39, 1)], ids=["without heads", "too small"])
async def test_head_that_cannot_be_kept_is_refused(heads: HeadBook | None) -> None:
    backend = ScriptedBackend([Answer("x")], heads=heads)
    worker = EngineWorker(lambda: backend)
    worker.start()
    await worker.wait_ready()
    assert (await warm(worker, FIRST)).stop_reason is StopReason.CANCELLED
    assert (await ask(worker, FIRST)).n_kept_tokens == 0
    worker.close()
