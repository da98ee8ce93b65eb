"""The side *llama-cpp*, in its own process: llama.vim's policy over llama.cpp. Decides nothing; see `vim_policy`."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any, Protocol

from fimble.bench.replay.child_side import failure_of
from fimble.bench.replay.link import read_message
from fimble.bench.replay.llama_slot import LlamaSlot
from fimble.bench.replay.vim_hint import Hint
from fimble.bench.replay.vim_policy import Infill, VimPolicy
from fimble.bench.wire import encode
from fimble.engine.cores import n_cores
from fimble.errors import FimbleError


class Slot(Protocol):
    """What answers the requests, one after the other."""

    n_generations: int
    n_prefilled_tokens: int
    n_decoded_tokens: int

    def run(self, request: Infill) -> str:
        """Give the answer to one request; none to a warm-up."""


class LlamaChild:
    """One session with the bench: this thread is the editor's, another one the server's."""

    def __init__(self, slot: Slot, seed: int, source: IO[bytes], sink: IO[bytes]) -> None:
        self._slot, self._source, self._sink = slot, source, sink
        self._inbox: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._requests: queue.Queue[Infill] = queue.Queue()
        self._policy = VimPolicy(self._requests.put, self._draw, seed)
        self._version = 0

    def serve(self) -> None:
        """Answer until the input ends."""
        threading.Thread(target=self._read, name="llama-reader", daemon=True).start()
        threading.Thread(target=self._run_model, name="llama-model", daemon=True).start()
        self._say({"say": "ready"})
        while True:
            due_ms = self._policy.next_at_ms
            wait_s = None if due_ms is None else max(0.0, (due_ms - _now_ms()) / 1000)
            try:
                what, value = self._inbox.get(timeout=wait_s)
            except queue.Empty:
                self._policy.tick(_now_ms())
                continue
            if what == "end":
                return
            if what == "failed":
                self._say({"say": "failed", "message": value})
                return
            if what == "answer":
                self._policy.response(value, _now_ms())
            else:
                self._take(value)

    def _take(self, message: dict[str, Any]) -> None:
        said = message["say"]
        if said == "work":
            slot = self._slot
            totals = {"n_generations": slot.n_generations, "n_prefilled_tokens": slot.n_prefilled_tokens}
            self._say({"say": "work", "n_decoded_tokens": slot.n_decoded_tokens, **totals})
            return
        self._version = message["version"]
        if said == "open":
            self._policy.open(message["path"], message["before"], message["after"], _now_ms())
        elif said == "text":
            self._policy.text(message["before"], message["after"], _now_ms())
        elif said == "close":
            self._policy.close()

    def _draw(self, hint: Hint | None) -> None:
        drawn = {"text": hint.text, "n_replaced_chars": hint.n_replaced_chars} if hint else {"text": None}
        self._say({"say": "show", "version": self._version, **drawn})

    def _read(self) -> None:
        while (message := read_message(self._source)) is not None:
            self._inbox.put(("message", message))
        self._inbox.put(("end", None))

    def _run_model(self) -> None:
        while True:
            request = self._requests.get()
            try:
                answer = self._slot.run(request)
            except Exception as error:
                self._inbox.put(("failed", f"llama.cpp failed: {error}"))
                return
            if request.n_predict_tokens:
                self._inbox.put(("answer", answer))

    def _say(self, message: dict[str, Any]) -> None:
        self._sink.write(encode(message))
        self._sink.flush()


def _now_ms() -> float:
    return time.perf_counter() * 1000


def main() -> None:
    """Serve with `gguf`, `n_threads` and `seed` given as JSON in the first argument."""
    told = json.loads(sys.argv[1])
    # Whatever a library prints must not get between the messages.
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        slot = LlamaSlot(Path(told["gguf"]), told["n_threads"] or n_cores(), told["seed"])
    except FimbleError as error:
        sink.write(encode(failure_of(error)))
        sink.flush()
        return
    LlamaChild(slot, told["seed"], sys.stdin.buffer, sink).serve()


if __name__ == "__main__":
    main()
