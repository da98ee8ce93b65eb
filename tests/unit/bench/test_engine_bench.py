"""The engine's figures, with a scripted backend whose times are known."""

from __future__ import annotations

import pytest

from fimble.bench import engine as engine_bench
from fimble.bench import interruption
from fimble.bench.sample import made_up_document, times
from fimble.engine.heads import HEADS_MAX, HeadBook
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.engine.worker import EngineWorker


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_bench, "copy_bytes_per_s", lambda n_threads: 1e9)
    monkeypatch.setattr(engine_bench, "PREFILL_TOKENS", (64,))
    monkeypatch.setattr(engine_bench, "DECODE_CONTEXT_TOKENS", (64,))
    monkeypatch.setattr(engine_bench, "HEAD_TOKENS", (64,))
    monkeypatch.setattr(engine_bench, "TAIL_TOKENS", (8,))
    monkeypatch.setattr(interruption, "N_CANCELS", 3)


def test_an_engine_keeps_all_heads_that_are_measured() -> None:
    assert len(engine_bench.HEAD_TOKENS) * len(engine_bench.TAIL_TOKENS) <= HEADS_MAX


async def test_every_figure_comes_from_the_backend(small: None):
    backend = ScriptedBackend([Answer("x " * 200, prefill_ms=20, token_ms=2)], heads=HeadBook(1000, 1))
    worker = EngineWorker(lambda: backend)
    worker.start()
    await worker.wait_ready()
    try:
        figures = await engine_bench.measure(worker, 1, 100_000_000, 1)
    finally:
        worker.close()
    assert figures.limit_tokens_per_s == 10.0
    assert figures.prefill[0].p50_ms >= 20
    assert figures.prefill[0].tokens_per_s <= 64 / 20 * 1000
    assert figures.decode[0].n_decoded_tokens > 0
    assert [batch.n_rows for batch in figures.batches] == [1, 4, 8]
    assert figures.cancel.to_idle.n == 3
    assert figures.cancel.n_tokens_after_max <= 2
    assert figures.pause.action_went_on
    assert figures.pause.typing_alone_ms >= 20
    heads = {request.prompt.head for request in backend.calls if request.prompt.head}
    assert len(heads) == 1


def test_percentiles_are_of_the_samples():
    added = times([5.0, 1.0, 4.0, 2.0, 3.0])
    assert (added.n, added.p50_ms, added.p99_ms, added.max_ms) == (5, 3.0, 5.0, 5.0)


@pytest.mark.parametrize("n_lines", [1, 9, 10_000])
def test_document_has_the_lines_asked_for(n_lines: int):
    assert made_up_document(n_lines).count("\n") == n_lines
