"""What the engine itself costs: reading a prompt, writing tokens, cached heads, stopping, pausing."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from fimble.bench.bandwidth import copy_bytes_per_s
from fimble.bench.interruption import Cancel, Pause, measure_cancel, measure_pause
from fimble.bench.prompts import Prompts
from fimble.engine.contract import Engine, Priority
from fimble.errors import EngineError
from fimble.records import FimPrompt

PREFILL_TOKENS = (64, 128, 256, 512, 1024)
DECODE_CONTEXT_TOKENS = (64, 256, 1024)
DECODE_TOKENS = 32
HEAD_TOKENS = (256, 512, 1024)
TAIL_TOKENS = (8, 32)
"""Each with each other is a head that is kept to the end, and an engine keeps `HEADS_MAX` of them."""
BATCH_ROWS = (1, 4, 8)
BATCH_CONTEXT_TOKENS = 128
BATCH_STEPS = 16


@dataclass(frozen=True, slots=True)
class Prefill:
    """Reading a prompt of `n_tokens` that nothing is cached of, until its first token is decoded."""

    n_tokens: int
    p50_ms: float
    tokens_per_s: float


@dataclass(frozen=True, slots=True)
class Decode:
    """Writing tokens after a prompt of `n_context_tokens`; `share_of_limit` of what the memory would allow."""

    n_context_tokens: int
    n_decoded_tokens: int
    ms_per_token: float
    tokens_per_s: float
    share_of_limit: float | None


@dataclass(frozen=True, slots=True)
class CachedHead:
    """Time to first token of `n_tail_tokens` behind a head of `n_head_tokens`: never seen, and kept read."""

    n_head_tokens: int
    n_tail_tokens: int
    cold_ms: float
    cached_ms: float
    share: float


@dataclass(frozen=True, slots=True)
class Batch:
    """One step of decoding `n_rows` rows at once; `share_of_one` of what one row costs."""

    n_rows: int
    step_ms: float
    share_of_one: float


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """One run of everything. `limit_tokens_per_s` is the copy rate over the bytes of the weights."""

    copy_gb_per_s: float
    model_mb: float | None
    limit_tokens_per_s: float | None
    prefill: list[Prefill]
    decode: list[Decode]
    batches: list[Batch]
    cached_heads: list[CachedHead]
    heads_mib: float
    cancel: Cancel
    pause: Pause


async def measure(
    engine: Engine,
    n_threads: int,
    n_model_bytes: int | None,
    n_repeats: int,
    on_step: Callable[[str], None] = lambda what: None,
) -> EngineFigures:
    """Measure a loaded engine with prompts of real code. Errors: EngineError if it fails."""
    prompts = Prompts(engine)
    bench = _Bench(prompts, n_repeats)
    on_step("memory bandwidth")
    copy_rate = copy_bytes_per_s(n_threads)
    limit = copy_rate / n_model_bytes if n_model_bytes else None
    await prompts.generate(prompts.prompt(32), 2)  # the first run makes buffers
    on_step("prefill")
    prefill = [await bench.prefill(n) for n in PREFILL_TOKENS]
    on_step("decode")
    decode = [await bench.decode(n, limit) for n in DECODE_CONTEXT_TOKENS]
    on_step("batches")
    batches = await bench.batches()
    on_step("cancel")
    cancel = await measure_cancel(prompts)
    on_step("pause")
    pause = await measure_pause(prompts, n_repeats)
    # Last: cached heads stay in memory until the model is unloaded.
    on_step("cached heads")
    before_bytes = psutil.Process().memory_info().rss
    heads = [await bench.cached_head(head, tail) for head in HEAD_TOKENS for tail in TAIL_TOKENS]
    heads_mib = (psutil.Process().memory_info().rss - before_bytes) / (1 << 20)
    return EngineFigures(
        copy_gb_per_s=round(copy_rate / 1e9, 2),
        model_mb=round(n_model_bytes / 1e6, 1) if n_model_bytes else None,
        limit_tokens_per_s=round(limit, 1) if limit else None,
        prefill=prefill,
        decode=decode,
        batches=batches,
        cached_heads=heads,
        heads_mib=round(heads_mib, 1),
        cancel=cancel,
        pause=pause,
    )


class _Bench:
    """Figures of generations that run to their end."""

    def __init__(self, prompts: Prompts, n_repeats: int) -> None:
        self._prompts = prompts
        self._n_repeats = n_repeats

    async def prefill(self, n_tokens: int) -> Prefill:
        rows = [await self._prompts.generate(self._prompts.prompt(n_tokens), 1) for _ in range(self._n_repeats)]
        p50_ms = statistics.median(row.first_token_ms for row in rows)
        return Prefill(n_tokens, round(p50_ms, 1), round(n_tokens / p50_ms * 1000, 1))

    async def decode(self, n_context_tokens: int, limit_tokens_per_s: float | None) -> Decode:
        n_decoded, spent_ms = 0, 0.0
        for _ in range(self._n_repeats):
            row = await self._prompts.generate(self._prompts.prompt(n_context_tokens), DECODE_TOKENS)
            n_decoded += max(0, row.n_decoded_tokens - 1)
            spent_ms += row.total_ms - row.first_token_ms
        if not n_decoded:
            return Decode(n_context_tokens, 0, 0.0, 0.0, None)
        rate = n_decoded / spent_ms * 1000
        share = round(rate / limit_tokens_per_s, 3) if limit_tokens_per_s else None
        return Decode(n_context_tokens, n_decoded, round(spent_ms / n_decoded, 2), round(rate, 1), share)

    async def cached_head(self, n_head_tokens: int, n_tail_tokens: int) -> CachedHead:
        head = self._prompts.take(n_head_tokens)
        cold = await self._prompts.generate(FimPrompt((), (*head, *self._prompts.take(n_tail_tokens))), 1)
        warm = await self._prompts.generate(FimPrompt(head, head[-1:]), 1, priority=Priority.PREFETCH, warms_head=True)
        if not warm.n_kept_tokens:
            raise EngineError("the engine keeps no head of this size", "raise `head_mib_max`")
        cached = [
            (await self._prompts.generate(FimPrompt(head, self._prompts.take(n_tail_tokens)), 1)).first_token_ms
            for _ in range(self._n_repeats)
        ]
        cached_ms = statistics.median(cached)
        return CachedHead(
            n_head_tokens,
            n_tail_tokens,
            round(cold.first_token_ms, 1),
            round(cached_ms, 1),
            round(cached_ms / cold.first_token_ms, 3),
        )

    async def batches(self) -> list[Batch]:
        """Sample rows of one prompt together; a step is what more tokens cost, the prompt left out."""
        steps_ms = [await self._step_ms(n_rows) for n_rows in BATCH_ROWS]
        return [
            Batch(n_rows, round(step_ms, 2), round(step_ms / steps_ms[0], 2) if steps_ms[0] else 0.0)
            for n_rows, step_ms in zip(BATCH_ROWS, steps_ms, strict=True)
        ]

    async def _step_ms(self, n_rows: int) -> float:
        steps_ms = []
        for _ in range(self._n_repeats):
            prompt = self._prompts.prompt(BATCH_CONTEXT_TOKENS)
            more = {"n_rows": n_rows, "temperature": 0.8}
            one = await self._prompts.generate(prompt, 1, **more)
            many = await self._prompts.generate(prompt, BATCH_STEPS + 1, **more)
            if many.n_decoded_tokens > 1:
                steps_ms.append(max(0.0, many.total_ms - one.total_ms) / (many.n_decoded_tokens - 1))
        return statistics.median(steps_ms) if steps_ms else 0.0
