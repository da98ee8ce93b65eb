"""The head of each document's prompts: cut where one is first asked, kept read by the model, used near that place."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict

from fimble.completion.policy import Ask
from fimble.engine.contract import Engine, GenerationRequest, Priority
from fimble.errors import FimbleError
from fimble.fim import head as fim_head
from fimble.fim.head import PinnedHead
from fimble.fim.prompt import LaidOutPrompt
from fimble.manifest import FimTokens
from fimble.records import CancelToken, CursorWindow, FimPrompt, Generation, Snippet

DOCUMENTS_MAX = 8
TAIL_TOKENS_WORN = 64
"""A head with a longer tail behind it is cut anew when there is time."""
RETRY_S = 1.0
RETRY_S_MAX = 60.0
"""An engine that refuses is asked again after a doubling time: it may keep no heads at all."""


class Heads:
    """Belongs to one service; all methods are called on its event loop."""

    def __init__(self) -> None:
        self._heads: OrderedDict[str, PinnedHead] = OrderedDict()
        self._read: dict[str, tuple[int, ...]] = {}
        self._warming: CancelToken | None = None
        self._tasks: set[asyncio.Task[bool]] = set()
        self._engine: Engine | None = None
        self._retry_s = RETRY_S
        self._retry_at_s = 0.0

    def lay_out(
        self,
        uri: str,
        window: CursorWindow,
        ask: Ask,
        fim: FimTokens,
        engine: Engine,
        snippets: tuple[Snippet, ...] = (),
        n_tokens_max: int | None = None,
    ) -> LaidOutPrompt | None:
        """Lay out a prompt behind the document's head; None where a head is not worth it.

        Where there is none, or the place has left it, one is cut: the model has to read all of it anyway, and what
        it keeps of that serves the next keys. It holds no more than a prompt that is waited for may.
        Source: a head and 24 tokens behind it took 0.9 to 1.1 times as long as the same tokens in one go, and the
        next 24 behind it 0.13 to 0.26 times (0.5B int8, 250 to 500 tokens).
        """
        laid_out = self._behind(uri, window, fim, engine, snippets)
        if laid_out is not None:
            return laid_out
        head = fim_head.pin(window, fim, engine.tokenizer, ask.whole_budget, snippets, n_tokens_max)
        if head is None:
            return None
        self._keep(uri, head)
        return fim_head.behind(head, window, fim, engine.tokenizer, snippets)

    def used(self, uri: str, laid_out: LaidOutPrompt, n_kept_tokens: int) -> None:
        """Take how much of a prompt the model keeps: where that is not its head, the head is forgotten."""
        if not laid_out.prompt.head or not self._is_engines(uri, laid_out):
            return
        if n_kept_tokens:
            self._read[uri] = laid_out.prompt.head
        else:
            self.forget(uri)

    def is_read(self, uri: str, laid_out: LaidOutPrompt) -> bool:
        """Say whether the model kept the prompt's head when it was last asked: then it costs nothing to ask twice."""
        return bool(laid_out.prompt.head) and self._read.get(uri) == laid_out.prompt.head

    def wanted(
        self,
        uri: str,
        window: CursorWindow,
        ask: Ask,
        fim: FimTokens,
        engine: Engine,
        snippets: tuple[Snippet, ...] = (),
        n_tokens_max: int | None = None,
    ) -> PinnedHead | None:
        """Cut a head for the place if the one there is does not serve it well. Errors: EngineError."""
        if self._warming is not None or time.monotonic() < self._retry_at_s:
            return None
        laid_out = self._behind(uri, window, fim, engine, snippets)
        if laid_out is not None and len(laid_out.prompt.tail) <= TAIL_TOKENS_WORN:
            return None
        head = fim_head.pin(window, fim, engine.tokenizer, ask.budget, snippets, n_tokens_max)
        return None if head is None or head == self._heads.get(uri) else head

    async def warm(self, uri: str, head: PinnedHead, engine: Engine) -> bool:
        """Have the model read a head and keep it; says whether it has.

        Being cancelled leaves the model to it: what is read by half is read anyway, and of use.
        """
        task = asyncio.create_task(self._warm(uri, head, engine))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    def forget(self, uri: str) -> None:
        """Drop a document's head; the model keeps it until it needs the room."""
        self._heads.pop(uri, None)
        self._read.pop(uri, None)

    async def _warm(self, uri: str, head: PinnedHead, engine: Engine) -> bool:
        self._warming = token = CancelToken()
        row: Generation | None
        prompt = FimPrompt(head.ids, head.ids[-1:])
        try:
            [row] = await engine.generate(GenerationRequest(prompt, 1, Priority.PREFETCH, token, warms_head=True))
        except FimbleError:
            row = None
        finally:
            self._warming = None
        if row is None or not row.n_kept_tokens:
            self._retry_at_s = time.monotonic() + self._retry_s
            self._retry_s = min(2 * self._retry_s, RETRY_S_MAX)
            return False
        self._retry_s = RETRY_S
        self._keep(uri, head)
        self._read[uri] = head.ids
        return True

    def _behind(
        self,
        uri: str,
        window: CursorWindow,
        fim: FimTokens,
        engine: Engine,
        snippets: tuple[Snippet, ...],
    ) -> LaidOutPrompt | None:
        """Lay out a prompt behind the head the document has; None if it has none, or the place has left it."""
        if engine is not self._engine:
            self._engine, self._retry_at_s = engine, 0.0
            self._heads.clear()
            self._read.clear()
        head = self._heads.get(uri)
        if head is None:
            return None
        return fim_head.behind(head, window, fim, engine.tokenizer, snippets)

    def _keep(self, uri: str, head: PinnedHead) -> None:
        self._heads[uri] = head
        self._heads.move_to_end(uri)
        while len(self._heads) > DOCUMENTS_MAX:
            oldest, _ = self._heads.popitem(last=False)
            self._read.pop(oldest, None)

    def _is_engines(self, uri: str, laid_out: LaidOutPrompt) -> bool:
        head = self._heads.get(uri)
        return head is not None and head.ids == laid_out.prompt.head
