"""The side *naive*, in its own process: fimble's policy, prompt, stop rules and filters, nothing that makes them fast.

After each change it waits for a fixed time; then the whole prompt is read and an answer written, each time anew. No
cache, no prefetch, no second look. A newer change cancels the older question, within one decoded token.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from typing import Any

from fimble import options
from fimble.app import Application, make_backend
from fimble.bench.replay.child_side import failure_of
from fimble.bench.replay.link import read_message
from fimble.bench.wire import encode
from fimble.completion.look import look
from fimble.completion.request import CompletionRequest
from fimble.completion.stop import StopRules
from fimble.engine.contract import GenerationRequest
from fimble.engine.worker import EngineWorker
from fimble.errors import FimbleError
from fimble.fim import prompt as fim_prompt
from fimble.models.store import ModelStore
from fimble.postprocess import pipeline
from fimble.records import CancelToken, Decline
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot

DELAY_MS = 200


class NaiveChild:
    """One session with the bench."""

    def __init__(self, settings: Settings) -> None:
        self._worker = EngineWorker(lambda: make_backend(settings, ModelStore()))
        self._app = Application(settings, make_engine=lambda _settings: self._worker)
        self._settings = settings
        self._language = ""
        self._answer: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Answer until the input ends."""
        loop = asyncio.get_running_loop()
        inbox: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

        def read() -> None:
            while (message := read_message(sys.stdin.buffer)) is not None:
                loop.call_soon_threadsafe(inbox.put_nowait, message)
            loop.call_soon_threadsafe(inbox.put_nowait, None)

        try:
            self._app.start()
            await self._worker.wait_ready()
            _say({"say": "ready"})
            threading.Thread(target=read, name="naive-reader", daemon=True).start()
            while (message := await inbox.get()) is not None:
                self._take(message)
        except FimbleError as error:
            _say(failure_of(error))
        finally:
            self._app.close()

    def _take(self, message: dict[str, Any]) -> None:
        said = message["say"]
        if said == "work":
            _say({"say": "work"} | self._worker.usage.totals())
            return
        if self._answer is not None:
            self._answer.cancel()
            self._answer = None
        if said == "open":
            self._language = message["language"]
        elif said == "text":
            self._answer = asyncio.create_task(self._complete(message))

    async def _complete(self, message: dict[str, Any]) -> None:
        await asyncio.sleep(DELAY_MS / 1000)
        before, settings = message["before"], self._settings
        document = DocumentSnapshot("file:///replay", self._language, message["version"], before + message["after"])
        cursor, ask = look(CompletionRequest(document, len(before)), settings, self._worker.state)
        if isinstance(ask, Decline):
            return
        laid_out = fim_prompt.build(cursor, self._app.manifest.fim, self._worker.tokenizer, ask.budget)
        rules = StopRules.build(cursor, ask)
        [row] = await self._worker.generate(
            GenerationRequest(
                prompt=laid_out.prompt,
                n_tokens_max=ask.decoded_tokens_max,
                token=CancelToken(),
                should_stop=lambda text: rules.should_stop(laid_out.answer(text)),
                deadline_at_s=time.monotonic() + settings.deadline_ms / 1000,
            )
        )
        outcome = pipeline.run(laid_out.answer(row.text), cursor, ask.shape, row.stop_reason)
        if not isinstance(outcome, Decline):
            shown = {"text": outcome.text, "n_replaced_chars": outcome.n_replaced_after}
            _say({"say": "show", "version": message["version"], **shown})


def _say(message: dict[str, Any]) -> None:
    sys.stdout.buffer.write(encode(message))
    sys.stdout.buffer.flush()


def main() -> None:
    """Serve with the settings given as JSON in the first argument."""
    raw = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    try:
        settings = options.resolve_strict(raw, source="the bench")
    except FimbleError as error:
        _say(failure_of(error))
        return
    asyncio.run(NaiveChild(settings).serve())


if __name__ == "__main__":
    main()
