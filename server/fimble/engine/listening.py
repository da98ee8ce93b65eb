"""An engine that lays out prompts with the real tokenizer and keeps them instead of running them. Loads no weights."""

from __future__ import annotations

from collections.abc import Callable

from fimble.engine.contract import EngineState, GenerationRequest, Tokenizer
from fimble.engine.figures import Figures
from fimble.errors import FimbleError
from fimble.records import FimPrompt, Generation, StopReason


class ListeningEngine:
    """Gives nothing and remembers what it was asked: what `fimble privacy` shows is what a model would read."""

    state = EngineState.READY
    error: FimbleError | None = None
    figures: Figures | None = None

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.prompts: list[FimPrompt] = []

    async def generate(self, request: GenerationRequest) -> list[Generation]:
        self.prompts.append(request.prompt)
        return [Generation("", 0, StopReason.END_TOKEN)] * request.n_rows

    def on_state_change(self, listener: Callable[[], None]) -> None:
        """The state never changes."""

    def start(self) -> None:
        """Nothing is loaded."""

    async def wait_ready(self) -> None:
        """It always is."""

    def close(self, timeout_s: float = 2.0) -> None:
        """Nothing runs."""
