"""The worker's promises: one owner, order, pause, cancellation, deadline, close."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import pytest

from fimble.engine.contract import EngineState, GenerationRequest, Priority
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.engine.worker import EngineWorker
from fimble.errors import EngineError, ModelNotInstalledError
from fimble.records import CancelToken, DeclineReason, FimPrompt, StopReason
from scripted_app import until

PROMPT = FimPrompt((), (ord("x"),))


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend()


@pytest.fixture
async def worker(backend: ScriptedBackend) -> AsyncIterator[EngineWorker]:
    worker = EngineWorker(lambda: backend)
    worker.start()
    await worker.wait_ready()
    yield worker
    worker.close()


def request(**changes: object) -> GenerationRequest:
    return GenerationRequest(**{"prompt": PROMPT, "n_tokens_max": 50, **changes})  # type: ignore[arg-type]


async def test_gives_the_text_and_why_it_ended(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.enqueue("a, b):")
    [generation] = await worker.generate(request())
    assert generation.text == "a, b):"
    assert generation.stop_reason is StopReason.END_TOKEN


async def test_rule_stops_within_one_token(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.enqueue("one two three four five")
    [generation] = await worker.generate(request(should_stop=lambda text: text.endswith("two")))
    assert generation.text == "one two"
    assert generation.stop_reason is StopReason.RULE


async def test_length_is_named(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.enqueue("one two three")
    [generation] = await worker.generate(request(n_tokens_max=2))
    assert (generation.text, generation.stop_reason) == ("one two", StopReason.LENGTH)


async def test_cancelled_during_decode_stops_within_one_token(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.enqueue("word " * 200, token_ms=2)
    token, seen = CancelToken(), []
    task = asyncio.ensure_future(worker.generate(request(n_tokens_max=500, token=token, on_text=seen.append)))
    await until(lambda: len(seen) > 20)
    n_seen = len(seen[-1].split())
    token.cancel(DeclineReason.SUPERSEDED)
    [generation] = await task
    assert generation.stop_reason is StopReason.CANCELLED
    # One token may have been under way when the token was set, one more is decoded before it is looked at.
    assert len(generation.text.split()) <= n_seen + 2


async def test_cancelled_while_queued_is_never_run(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.enqueue("slow", prefill_ms=100)
    first = asyncio.ensure_future(worker.generate(request()))
    token = CancelToken()
    second = asyncio.ensure_future(worker.generate(request(token=token)))
    await until(lambda: worker.n_queued == 1)
    token.cancel()
    assert (await second)[0].stop_reason is StopReason.CANCELLED
    await first
    assert len(backend.calls) == 1


async def test_cancelled_task_sets_the_token(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.enqueue("word " * 500, token_ms=2)
    token = CancelToken()
    task = asyncio.ensure_future(worker.generate(request(n_tokens_max=600, token=token)))
    await until(lambda: backend.calls)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert token.cancelled


async def test_deadline_gives_what_is_decoded(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.enqueue("word " * 500, token_ms=2)
    [generation] = await worker.generate(request(n_tokens_max=600, deadline_at_s=time.monotonic() + 0.05))
    assert generation.stop_reason is StopReason.DEADLINE
    assert 1 <= len(generation.text.split()) < 500


async def test_action_is_paused_for_typing_and_goes_on(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.answers.append(Answer("action " * 40, when="A", token_ms=2))
    backend.answers.append(Answer("typed " * 30, when="T", token_ms=2))
    progress: list[str] = []
    action = asyncio.ensure_future(
        worker.generate(
            request(
                prompt=FimPrompt((), (ord("A"),)), priority=Priority.ACTION, n_tokens_max=99, on_text=progress.append
            )
        )
    )
    await until(lambda: len(progress) > 30)
    typing = asyncio.ensure_future(worker.generate(request(prompt=FimPrompt((), (ord("T"),)), n_tokens_max=99)))
    await until(lambda: len(backend.calls) == 2)
    n_at_start = len(progress[-1].split())
    await typing
    n_at_end = len(progress[-1].split())
    assert n_at_end <= n_at_start + 2, "the action went on beside typing"
    [generation] = await action
    assert generation.stop_reason is StopReason.END_TOKEN
    assert len(generation.text.split()) == 40


async def test_prefetch_gives_way_to_typing(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.answers.append(Answer("ahead " * 200, when="P", token_ms=2))
    seen: list[str] = []
    prefetch = asyncio.ensure_future(
        worker.generate(
            request(
                prompt=FimPrompt((), (ord("P"),)), priority=Priority.PREFETCH, n_tokens_max=500, on_text=seen.append
            )
        )
    )
    await until(lambda: len(seen) > 5)
    await worker.generate(request())
    assert (await prefetch)[0].stop_reason is StopReason.CANCELLED


async def test_alternatives_come_as_rows(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.enqueue("x")
    rows = await worker.generate(request(n_rows=3))
    assert [row.text for row in rows] == ["x", "x2", "x3"]


async def test_engine_error_reaches_the_asker_and_the_next_request_works(
    worker: EngineWorker, backend: ScriptedBackend
) -> None:
    backend.enqueue(RuntimeError("out of memory"))
    with pytest.raises(EngineError, match="out of memory"):
        await worker.generate(request())
    backend.enqueue("fine")
    assert (await worker.generate(request()))[0].text == "fine"


async def test_missing_model_is_a_state_with_its_error() -> None:
    def missing() -> ScriptedBackend:
        raise ModelNotInstalledError("some-model")

    worker = EngineWorker(missing)
    states: list[EngineState] = []
    worker.on_state_change(lambda: states.append(worker.state))
    worker.start()
    with pytest.raises(ModelNotInstalledError):
        await worker.wait_ready()
    assert states == [EngineState.MISSING]
    assert worker.error is not None
    assert worker.error.hint == "run `fimble models pull some-model`"
    worker.close()


async def test_model_pulled_while_the_editor_is_open_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fimble.engine.worker.RETRY_S", 0.01)
    installed = threading.Event()

    def make() -> ScriptedBackend:
        if not installed.is_set():
            raise ModelNotInstalledError("some-model")
        return ScriptedBackend([Answer("here")])

    worker = EngineWorker(make)
    worker.start()
    await until(lambda: worker.state is EngineState.MISSING)
    installed.set()
    await until(lambda: worker.state is EngineState.READY)
    assert worker.error is None
    assert (await worker.generate(request()))[0].text == "here"
    worker.close()


async def test_usage_counts_runs_that_were_cut_off(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.enqueue("a, b):")
    await worker.generate(request())
    assert worker.usage.totals() == {"n_generations": 1, "n_prefilled_tokens": 1, "n_decoded_tokens": 6}
    backend.enqueue("word " * 50, token_ms=5)
    token = CancelToken()
    task = asyncio.ensure_future(worker.generate(request(token=token, on_text=lambda _text: token.cancel())))
    await task
    totals = worker.usage.totals()
    assert (totals["n_generations"], totals["n_prefilled_tokens"]) == (2, 2)
    assert totals["n_decoded_tokens"] > 6


async def test_request_cancelled_while_it_waits_costs_nothing(worker: EngineWorker, backend: ScriptedBackend) -> None:
    token = CancelToken()
    token.cancel()
    await worker.generate(request(token=token))
    assert worker.usage.totals()["n_generations"] == 0


async def test_close_during_decode_ends_threads(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.enqueue("word " * 5000, token_ms=2)
    task = asyncio.ensure_future(worker.generate(request(n_tokens_max=9000)))
    await until(lambda: backend.calls)
    threads = list(worker._threads)
    worker.close()
    assert (await task)[0].stop_reason is StopReason.CANCELLED
    await until(lambda: not any(thread.is_alive() for thread in threads))


async def test_incomplete_character_is_not_shown(worker: EngineWorker, backend: ScriptedBackend) -> None:
    backend.enqueue("名前 🎉")
    seen: list[str] = []
    [generation] = await worker.generate(request(on_text=seen.append))
    assert generation.text == "名前 🎉"
    assert not [text for text in seen if "�" in text]
