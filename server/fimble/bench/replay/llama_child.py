"""The side *llama-cpp*, in its own process: llama.vim's policy over llama.cpp. Decides nothing; see `vim_policy`."""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from pathlib import Path
from typing import Any

from fimble.bench.replay.child_side import failure_of
from fimble.bench.replay.link import read_message
from fimble.bench.replay.llama_slot import LlamaSlot, n_threads_of
from fimble.bench.replay.vim_hint import Hint
from fimble.bench.replay.vim_policy import Infill, VimPolicy
from fimble.bench.wire import encode
from fimble.errors import FimbleError


class LlamaChild:
    """One session with the bench: this thread is the editor's, another one the server's."""

    def __init__(self, slot: LlamaSlot, seed: int) -> None:
        self._slot = slot
        self._inbox: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._requests: queue.Queue[Infill] = queue.Queue()
        self._policy = VimPolicy(self._requests.put, self._draw, seed)
        self._version = 0

    def serve(self) -> None:
        """Answer until the input ends."""
        threading.Thread(target=self._read, name="llama-reader", daemon=True).start()
        threading.Thread(target=self._run_model, name="llama-model", daemon=True).start()
        _say({"say": "ready"})
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
                _say({"say": "failed", "message": value})
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
            _say({"say": "work", "n_decoded_tokens": slot.n_decoded_tokens, **totals})
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
        _say({"say": "show", "version": self._version, **drawn})

    def _read(self) -> None:
        while (message := read_message(sys.stdin.buffer)) is not None:
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


def _now_ms() -> float:
    return time.perf_counter() * 1000


def _say(message: dict[str, Any]) -> None:
    sys.stdout.buffer.write(encode(message))
    sys.stdout.buffer.flush()


def main() -> None:
    """Serve with `gguf`, `n_threads` and `seed` given as JSON in the first argument."""
    told = json.loads(sys.argv[1])
    try:
        slot = LlamaSlot(Path(told["gguf"]), n_threads_of(told["n_threads"]), told["seed"])
    except FimbleError as error:
        _say(failure_of(error))
        return
    LlamaChild(slot, told["seed"]).serve()


if __name__ == "__main__":
    main()
