"""What stopping and pausing a generation costs, and that both happen within one token."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass

from fimble.bench.prompts import Prompts
from fimble.bench.sample import Times, times
from fimble.engine.contract import Priority
from fimble.records import CancelToken, Generation

CONTEXT_TOKENS = 128
CANCEL_AFTER_TOKENS = 4
N_CANCELS = 100


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


async def measure_cancel(prompts: Prompts) -> Cancel:
    """Cancel running generations from another thread than the engine's, as an editor's next key does."""
    to_idle_ms: list[float] = []
    n_after_max = 0
    for _ in range(N_CANCELS):
        count, token = _TokenCount(), CancelToken()
        prompt = prompts.prompt(CONTEXT_TOKENS)
        task = asyncio.ensure_future(prompts.generate(prompt, 256, token=token, on_text=count.on_text))
        await count.reached(CANCEL_AFTER_TOKENS, task)
        if task.done():
            continue  # the model had nothing more to say
        n_before, cancelled_at_s = count.n, time.perf_counter()
        token.cancel()
        row = await task
        to_idle_ms.append((time.perf_counter() - cancelled_at_s) * 1000)
        n_after_max = max(n_after_max, row.n_decoded_tokens - n_before)
    return Cancel(times(to_idle_ms or [0.0]), n_after_max)


async def measure_pause(prompts: Prompts, n_repeats: int) -> Pause:
    """Ask for lines while an action runs; the action must stand still for them and go on afterwards."""
    alone = [await _typing_ms(prompts) for _ in range(n_repeats)]
    count, token = _TokenCount(), CancelToken()
    prompt = prompts.prompt(CONTEXT_TOKENS)
    action = asyncio.ensure_future(
        prompts.generate(prompt, 512, priority=Priority.ACTION, token=token, on_text=count.on_text)
    )
    await count.reached(1, action)
    beside, n_meanwhile = [], 0
    for _ in range(n_repeats):
        n_before = count.n
        beside.append(await _typing_ms(prompts))
        n_meanwhile = max(n_meanwhile, count.n - n_before)
    n_paused_at = count.n
    await count.reached(n_paused_at + 2, action)
    went_on = count.n > n_paused_at
    token.cancel()
    await action
    return Pause(round(statistics.median(alone), 1), round(statistics.median(beside), 1), n_meanwhile, went_on)


async def _typing_ms(prompts: Prompts) -> float:
    started_at_s = time.perf_counter()
    await prompts.generate(prompts.prompt(CONTEXT_TOKENS), 8)
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
