"""Generations for HTTP clients: one request in, pieces of text out, stopped when the client is gone. No HTTP here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from fimble.engine.contract import EngineState, GenerationRequest, OwnedEngine, Priority, Tokenizer
from fimble.errors import EngineError
from fimble.manifest import ModelManifest
from fimble.metrics import Metrics
from fimble.records import CancelToken, FimPrompt, Generation, StopReason


class SupersededError(EngineError):
    """Newer requests took its place in the queue."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks of one generation. `deadline_at_s` is a `time.monotonic()` instant."""

    prompt: FimPrompt
    n_tokens_max: int
    priority: Priority = Priority.TYPING
    temperature: float = 0.0
    n_rows: int = 1
    stop_words: tuple[str, ...] = ()
    deadline_at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """More text, or the end: then `generation` is set, its text cut at the stop word."""

    text: str
    generation: Generation | None = None


class Desk:
    """Takes wishes to the shared model."""

    def __init__(self, engine: OwnedEngine, manifest: ModelManifest, touch: Callable[[], None]) -> None:
        self._engine = engine
        self._touch = touch
        self.manifest = manifest
        self.metrics = Metrics()

    async def tokenizer(self) -> Tokenizer:
        """Give the model's tokenizer, loading the model if need be. Errors: those of the load."""
        self._touch()
        if self._engine.state is not EngineState.READY:
            self._engine.start()
            await self._engine.wait_ready()
        return self._engine.tokenizer

    async def rows(self, wish: Wish, token: CancelToken) -> list[Generation]:
        """Run the wish to its end. Errors: EngineError; SupersededError."""
        if wish.n_rows > 1:
            generations = await self._generate(self._request(wish, token, None))
            return [_cut(generation, wish.stop_words) for generation in generations]
        async for piece in self.stream(wish, token):
            if piece.generation is not None:
                return [piece.generation]
        raise EngineError("the generation ended without a result")

    async def stream(self, wish: Wish, token: CancelToken) -> AsyncIterator[Piece]:
        """Give the text as it is decoded, held back where it may become a stop word.

        Leaving the iteration stops the generation. Errors: EngineError; SupersededError.
        """
        loop = asyncio.get_running_loop()
        news: asyncio.Queue[str | None] = asyncio.Queue()

        def on_text(text: str) -> None:
            loop.call_soon_threadsafe(news.put_nowait, text)

        generating = asyncio.ensure_future(self._generate(self._request(wish, token, on_text)))
        generating.add_done_callback(lambda _: news.put_nowait(None))
        n_sent = 0
        try:
            while (text := await news.get()) is not None:
                sure = len(_before_stop(text, wish.stop_words)) - _n_held(text, wish.stop_words)
                if sure > n_sent:
                    yield Piece(text[n_sent:sure])
                    n_sent = sure
            [generation] = generating.result()
            generation = _cut(generation, wish.stop_words)
            if len(generation.text) > n_sent:
                yield Piece(generation.text[n_sent:])
            yield Piece("", generation)
        finally:
            token.cancel()
            generating.cancel()

    async def _generate(self, request: GenerationRequest) -> list[Generation]:
        self._touch()
        self.metrics.count("http.generations")
        generations = await self._engine.generate(request)
        self._touch()
        if generations[0].stop_reason is StopReason.CANCELLED and not generations[0].text:
            raise SupersededError("newer requests took this one's place", "ask again, with fewer at a time")
        for generation in generations:
            self.metrics.count("http.decoded_tokens", generation.n_decoded_tokens)
        self.metrics.observe_ms("http.queue", generations[0].queue_ms)
        self.metrics.observe_ms("http.first_token", generations[0].first_token_ms)
        self.metrics.observe_ms("http.total", generations[0].total_ms)
        return generations

    def _request(self, wish: Wish, token: CancelToken, on_text: Callable[[str], None] | None) -> GenerationRequest:
        words = wish.stop_words
        return GenerationRequest(
            prompt=wish.prompt,
            n_tokens_max=wish.n_tokens_max,
            priority=wish.priority,
            token=token,
            should_stop=(lambda text: any(word in text for word in words)) if words else None,
            on_text=on_text,
            deadline_at_s=wish.deadline_at_s,
            n_rows=wish.n_rows,
            temperature=wish.temperature,
        )


def _before_stop(text: str, stop_words: tuple[str, ...]) -> str:
    places = [place for word in stop_words if (place := text.find(word)) >= 0]
    return text[: min(places)] if places else text


def _n_held(text: str, stop_words: tuple[str, ...]) -> int:
    """Count the characters at the end that begin a stop word."""
    if any(word in text for word in stop_words):
        return 0
    held = 0
    for word in stop_words:
        for n_chars in range(min(len(word) - 1, len(text)), 0, -1):
            if text.endswith(word[:n_chars]):
                held = max(held, n_chars)
                break
    return held


def _cut(generation: Generation, stop_words: tuple[str, ...]) -> Generation:
    text = _before_stop(generation.text, stop_words)
    return generation if text == generation.text else replace(generation, text=text)
