"""Measuring beside a worker: once, in idle time, and never in a key's way."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from fimble.engine.calibration_file import CalibrationFile, Subject
from fimble.engine.calibrator import DECODE_TOKENS, N_REPEATS, Calibrator, measure_now
from fimble.engine.contract import GenerationRequest, Priority
from fimble.engine.figures import Figures
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.engine.worker import EngineWorker
from fimble.errors import ModelNotInstalledError
from fimble.records import FimPrompt
from scripted_app import until

SUBJECT = Subject("scripted", "", "", "auto", "auto", 1, "a processor", "4.8.5")
KEY = GenerationRequest(FimPrompt((), tuple(b"key")), 8)
MEASURED = Figures(((16, 10.0), (64, 20.0)), 5.0, "2999-01-01T00:00:00+00:00")
SIZES = (16, 64, 128, 256, 512)


@pytest.fixture
def file(tmp_path):
    return CalibrationFile(tmp_path / "calibration.json")


@pytest.fixture
def workers():
    workers = []
    yield workers
    for worker in workers:
        worker.close()


@pytest.fixture
def begin(file, workers):
    """Start a worker that is calibrated."""

    async def begin(backend, subject=lambda: SUBJECT, on_battery=lambda: False, n_tokens_max=512):
        worker = EngineWorker(lambda: backend)
        workers.append(worker)
        Calibrator(file, subject, n_tokens_max, quiet_s=0.0, is_on_battery=on_battery).watch(worker)
        worker.start()
        await worker.wait_ready()
        return worker

    return begin


def backend(prefill_ms=0.0):
    measured = Answer("one two three", when="# calib", prefill_ms=prefill_ms)
    return ScriptedBackend([measured, Answer("answer")])


def prompts(scripted):
    return [(len(call.prompt.tail), call.n_tokens_max) for call in scripted.calls]


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "fimble-calibration"]


async def test_measures_each_size_and_keeps_the_figures(begin, file):
    scripted = backend()
    worker = await begin(scripted)
    await until(lambda: worker.figures)
    reads = [(n_tokens, 1) for n_tokens in SIZES for _ in range(N_REPEATS)]
    assert prompts(scripted) == [(16, 1), *reads, *[(128, DECODE_TOKENS)] * N_REPEATS]
    assert [n_tokens for n_tokens, _ in worker.figures.prefill_ms] == list(SIZES)
    await until(lambda: file.find(SUBJECT) is not None and not threads())
    assert file.find(SUBJECT).measured_at == worker.figures.measured_at


async def test_no_more_is_read_than_prompts_may_have(begin):
    scripted = backend()
    worker = await begin(scripted, n_tokens_max=100)
    await until(lambda: worker.figures)
    assert max(n_tokens for n_tokens, _ in prompts(scripted)) == 128


async def test_what_would_take_too_long_is_not_read():
    scripted = backend(prefill_ms=700)
    worker = EngineWorker(lambda: scripted)
    worker.start()
    await worker.wait_ready()
    figures = await measure_now(worker, 512)
    worker.close()
    assert [n_tokens for n_tokens, _ in figures.prefill_ms] == [16, 64]


async def test_known_figures_are_there_at_once_and_nothing_is_run(begin, file):
    file.keep(SUBJECT, MEASURED)
    scripted = backend()
    worker = await begin(scripted)
    await until(lambda: worker.figures)
    assert worker.figures == MEASURED
    assert not threads()
    assert scripted.calls == []


@pytest.mark.parametrize("change", [{"was_busy": True}, {"measured_at": "2001-01-01T00:00:00+00:00"}])
async def test_doubtful_figures_are_used_and_measured_anew(begin, file, change):
    doubtful = replace(MEASURED, **change)
    file.keep(SUBJECT, doubtful)
    worker = await begin(backend())
    await until(lambda: worker.figures not in (None, doubtful))


async def test_key_is_answered_before_the_step_that_runs_and_the_step_counts_for_nothing(begin):
    scripted = backend(prefill_ms=300)
    worker = await begin(scripted, n_tokens_max=16)
    await until(lambda: scripted.calls)
    [answer] = await worker.generate(KEY)
    assert answer.text == "answer"
    assert worker.usage.totals()["n_generations"] == 1, "the step is still under way"
    await until(lambda: worker.figures)
    assert prompts(scripted).count((16, 1)) == 1 + 1 + N_REPEATS, "the first one was repeated"


async def test_nothing_is_begun_while_an_action_runs(begin):
    scripted, state = backend(), [True]
    scripted.answers.insert(0, Answer("w " * 40, when="action", token_ms=10))
    worker = await begin(scripted, on_battery=lambda: state[0])
    await until(threads)
    action = asyncio.create_task(
        worker.generate(GenerationRequest(FimPrompt((), tuple(b"action")), 50, Priority.ACTION))
    )
    await until(lambda: scripted.calls)
    state[0] = False
    await action
    assert len(scripted.calls) == 1
    await until(lambda: worker.figures)


async def test_nothing_is_measured_on_battery(begin):
    scripted, state, asked = backend(), [True], []

    def on_battery():
        asked.append(True)
        return state[0]

    worker = await begin(scripted, on_battery=on_battery)
    await until(lambda: asked)
    assert scripted.calls == []
    state[0] = False
    await until(lambda: worker.figures)


async def test_model_that_writes_nothing_is_not_calibrated(begin, file):
    scripted = ScriptedBackend()
    worker = await begin(scripted)
    await until(lambda: len(scripted.calls) == 1 + (len(SIZES) + 1) * N_REPEATS and not threads())
    assert worker.figures is None
    assert not file.path.exists()


async def test_model_that_fails_is_not_calibrated(begin, file):
    scripted = ScriptedBackend([Answer("", error=RuntimeError("broken"))])
    worker = await begin(scripted)
    await until(lambda: scripted.calls and not threads())
    assert worker.figures is None


async def test_what_is_not_installed_is_not_calibrated(begin):
    def subject():
        raise ModelNotInstalledError("small")

    scripted = backend()
    worker = await begin(scripted, subject=subject)
    assert worker.figures is None
    assert scripted.calls == []


async def test_no_thread_is_left_after_close(begin):
    scripted = backend()
    worker = await begin(scripted, on_battery=lambda: True)
    await until(threads)
    worker.close()
    await until(lambda: not threads())
    assert scripted.calls == []
