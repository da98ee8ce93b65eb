"""What the engine itself costs: reading a prompt, writing tokens, cached heads, stopping, pausing."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil

from fimble.bench.bandwidth import copy_bytes_per_s
from fimble.bench.sample import Times, real_code, times
from fimble.engine.contract import Engine, GenerationRequest, Priority
from fimble.records import CancelToken, FimPrompt, Generation

PREFILL_TOKENS = (64, 128, 256, 512, 1024)
DECODE_CONTEXT_TOKENS = (64, 256, 1024)
DECODE_TOKENS = 32
HEAD_TOKENS = (256, 1024)
TAIL_TOKENS = (8, 32, 64)
CANCEL_CONTEXT_TOKENS = 128
CANCEL_AFTER_TOKENS = 4
N_CANCELS = 20


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
    """Time to first token of `n_tail_tokens` behind a head of `n_head_tokens`: never seen, and seen before."""

    n_head_tokens: int
    n_tail_tokens: int
    cold_ms: float
    cached_ms: float
    share: float


@dataclass(frozen=True, slots=True)
class Cancel:
    """From setting the token to an idle engine, and how many tokens were still decoded (at most the one under way)."""

    to_idle: Times
    n_tokens_after_max: int


@dataclass(frozen=True, slots=True)
class Pause:
    """A typing request alone, and beside an action that is paused for it.

    `n_action_tokens_max`: what the action decoded during one typing request (at most the token under way).
    """

    typing_alone_ms: float
    typing_beside_action_ms: float
    n_action_tokens_max: int
    action_went_on: bool


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """One run of everything. `limit_tokens_per_s` is the copy rate over the bytes of the weights."""

    copy_gb_per_s: float
    model_mb: float | None
    limit_tokens_per_s: float | None
    prefill: list[Prefill]
    decode: list[Decode]
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
    bench = _Bench(engine, n_repeats)
    on_step("memory bandwidth")
    copy_rate = copy_bytes_per_s(n_threads)
    limit = copy_rate / n_model_bytes if n_model_bytes else None
    await bench.generate(FimPrompt((), bench.take(32)), 2)  # the first run makes buffers
    on_step("prefill")
    prefill = [await bench.prefill(n) for n in PREFILL_TOKENS]
    on_step("decode")
    decode = [await bench.decode(n, limit) for n in DECODE_CONTEXT_TOKENS]
    on_step("cancel")
    cancel = await bench.cancel()
    on_step("pause")
    pause = await bench.pause()
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
        cached_heads=heads,
        heads_mib=round(heads_mib, 1),
        cancel=cancel,
        pause=pause,
    )


class _Bench:
    """Prompts that were never asked before, and generations timed."""

    def __init__(self, engine: Engine, n_repeats: int) -> None:
        self._engine = engine
        self._n_repeats = n_repeats
        self._ids = engine.tokenizer.encode(real_code())
        self._n_taken = 0

    def take(self, n_tokens: int) -> tuple[int, ...]:
        """Give `n_tokens` of code, starting at another place each time."""
        self._n_taken += 1
        start = (self._n_taken * 97) % max(1, len(self._ids) - n_tokens)
        return tuple(self._ids[start : start + n_tokens])

    async def generate(self, prompt: FimPrompt, n_tokens: int, **more: Any) -> Generation:
        return (await self._engine.generate(GenerationRequest(prompt, n_tokens, **more)))[0]

    async def prefill(self, n_tokens: int) -> Prefill:
        rows = [await self.generate(FimPrompt((), self.take(n_tokens)), 1) for _ in range(self._n_repeats)]
        p50_ms = statistics.median(row.first_token_ms for row in rows)
        return Prefill(n_tokens, round(p50_ms, 1), round(n_tokens / p50_ms * 1000, 1))

    async def decode(self, n_context_tokens: int, limit_tokens_per_s: float | None) -> Decode:
        n_decoded, spent_ms = 0, 0.0
        for _ in range(self._n_repeats):
            row = await self.generate(FimPrompt((), self.take(n_context_tokens)), DECODE_TOKENS)
            n_decoded += max(0, row.n_decoded_tokens - 1)
            spent_ms += row.total_ms - row.first_token_ms
        if not n_decoded:
            return Decode(n_context_tokens, 0, 0.0, 0.0, None)
        rate = n_decoded / spent_ms * 1000
        share = round(rate / limit_tokens_per_s, 3) if limit_tokens_per_s else None
        return Decode(n_context_tokens, n_decoded, round(spent_ms / n_decoded, 2), round(rate, 1), share)

    async def cached_head(self, n_head_tokens: int, n_tail_tokens: int) -> CachedHead:
        head = self.take(n_head_tokens)
        cold = await self.generate(FimPrompt(head, self.take(n_tail_tokens)), 1)
        cached = [
            (await self.generate(FimPrompt(head, self.take(n_tail_tokens)), 1)).first_token_ms
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

    async def cancel(self) -> Cancel:
        """Cancel running generations from another thread than the engine's, as an editor's next key does."""
        to_idle_ms: list[float] = []
        n_after_max = 0
        for _ in range(N_CANCELS):
            count, token = _TokenCount(), CancelToken()
            prompt = FimPrompt((), self.take(CANCEL_CONTEXT_TOKENS))
            task = asyncio.ensure_future(self.generate(prompt, 256, token=token, on_text=count.on_text))
            await count.reached(CANCEL_AFTER_TOKENS, task)
            if task.done():
                continue  # the model had nothing more to say
            n_before, cancelled_at_s = count.n, time.perf_counter()
            token.cancel()
            row = await task
            to_idle_ms.append((time.perf_counter() - cancelled_at_s) * 1000)
            n_after_max = max(n_after_max, row.n_decoded_tokens - n_before)
        return Cancel(times(to_idle_ms or [0.0]), n_after_max)

    async def pause(self) -> Pause:
        """Ask for lines while an action runs; the action must stand still for them and go on afterwards."""
        alone = [await self._typing_ms() for _ in range(self._n_repeats)]
        count, token = _TokenCount(), CancelToken()
        prompt = FimPrompt((), self.take(CANCEL_CONTEXT_TOKENS))
        action = asyncio.ensure_future(
            self.generate(prompt, 512, priority=Priority.ACTION, token=token, on_text=count.on_text)
        )
        await count.reached(1, action)
        beside, n_meanwhile = [], 0
        for _ in range(self._n_repeats):
            n_before = count.n
            beside.append(await self._typing_ms())
            n_meanwhile = max(n_meanwhile, count.n - n_before)
        n_paused_at = count.n
        await count.reached(n_paused_at + 2, action)
        went_on = count.n > n_paused_at
        token.cancel()
        await action
        return Pause(round(statistics.median(alone), 1), round(statistics.median(beside), 1), n_meanwhile, went_on)

    async def _typing_ms(self) -> float:
        started_at_s = time.perf_counter()
        await self.generate(FimPrompt((), self.take(CANCEL_CONTEXT_TOKENS)), 8)
        return (time.perf_counter() - started_at_s) * 1000


class _TokenCount:
    """Counts the tokens of one generation on the engine's thread, and wakes who waits on the loop's."""

    def __init__(self) -> None:
        self.n = 0
        self._loop = asyncio.get_running_loop()
        self._counted = asyncio.Event()

    def on_text(self, text: str) -> None:
        self.n += 1
        self._loop.call_soon_threadsafe(self._counted.set)

    async def reached(self, n_tokens: int, task: asyncio.Future[Generation]) -> None:
        """Wait until `n_tokens` are decoded or the generation has ended."""
        while self.n < n_tokens and not task.done():
            self._counted.clear()
            waiting = asyncio.ensure_future(self._counted.wait())
            await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
