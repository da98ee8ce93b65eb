"""Prompts that were never asked before, and generations of them. Measures nothing."""

from __future__ import annotations

from typing import Any

from fimble.bench.sample import real_code
from fimble.engine.contract import Engine, GenerationRequest
from fimble.records import FimPrompt, Generation


class Prompts:
    """Real code in the model's tokens, another stretch of it each time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ids = engine.tokenizer.encode(real_code())
        self._n_taken = 0

    def take(self, n_tokens: int) -> tuple[int, ...]:
        """Give `n_tokens` of code, starting at another place each time."""
        self._n_taken += 1
        start = (self._n_taken * 97) % max(1, len(self._ids) - n_tokens)
        return tuple(self._ids[start : start + n_tokens])

    def prompt(self, n_tokens: int) -> FimPrompt:
        return FimPrompt((), self.take(n_tokens))

    async def generate(self, prompt: FimPrompt, n_tokens: int, **more: Any) -> Generation:
        """Give the first row. Errors: EngineError."""
        return (await self._engine.generate(GenerationRequest(prompt, n_tokens, **more)))[0]
