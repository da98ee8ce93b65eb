"""What fimble adds to the model's own time: a real server over stdio whose model answers at once."""

from __future__ import annotations

import json
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fimble.bench.sample import Times, made_up_document, times
from fimble.bench.wire import MeasuredServer, encode, shown_items
from fimble.errors import FimbleError

URI = "file:///bench/overhead.py"
# The scripted tokenizer gives an id per byte; a real line has about as many tokens as this has bytes, and what
# is done after each token is part of the overhead.
ANSWER = "sum(values)\n"
OPTIONS = {"engine": "scripted", "delay_ms": 0, "log_level": "error"}


@dataclass(frozen=True, slots=True)
class Overhead:
    """Times seen by the client, from the first byte written to the last byte read.

    `completion`: an inline completion asked of an idle server. `status`: a request that does nothing, which is
    what any answer costs. `change_and_completion`: didChange and the request behind it in one write, as editors
    send them. `change_and_status`: didChange with an empty request behind it. `change`: the same less the
    median of `status`, which is what didChange itself takes (it has no answer that could be timed).
    `parts`: where the server says the time of `completion` went.
    """

    n_lines: int
    n_shown: int
    completion: Times
    change_and_completion: Times
    status: Times
    change_and_status: Times
    change: Times
    parts: dict[str, Times]


def measure(n_requests: int, n_lines: int = 10_000, seed: int = 7) -> Overhead:
    """Type one character in `n_requests` places of a document of `n_lines` lines, and time what follows.

    Errors: EngineError if the server fails; FimbleError if it showed nothing, since then nothing was measured.
    """
    rng = random.Random(seed)
    lines = made_up_document(n_lines).split("\n")
    status_ms: list[float] = []
    change_ms: list[float] = []
    completion_ms: list[float] = []
    both_ms: list[float] = []
    parts_ms: dict[str, list[float]] = {}
    n_shown = 0
    with tempfile.TemporaryDirectory(prefix="fimble-bench-") as folder:
        script = Path(folder) / "script.json"
        script.write_text(json.dumps({"answers": [{"text": ANSWER}]}), encoding="utf-8")
        with MeasuredServer(OPTIONS, {"FIMBLE_SCRIPT": str(script)}) as server:
            item = {"uri": URI, "languageId": "python", "version": 1, "text": "\n".join(lines)}
            server.notify("textDocument/didOpen", {"textDocument": item})
            server.wait_ready()
            for round_number in range(n_requests):
                typed = _Typing(rng, lines, version=2 + 2 * round_number)
                status_ms.append(server.timed_request("fimble/status", {})[1])
                change_ms.append(server.timed_request("fimble/status", {}, before=typed.change())[1])
                result, took_ms = server.timed_request("textDocument/inlineCompletion", typed.request())
                completion_ms.append(took_ms)
                for name, part_ms in server.explained_parts_ms().items():
                    parts_ms.setdefault(name, []).append(part_ms)
                n_shown += bool(shown_items(result))
                result, took_ms = server.timed_request(
                    "textDocument/inlineCompletion", typed.request(1), before=typed.change(1)
                )
                both_ms.append(took_ms)
                n_shown += bool(shown_items(result))
    if n_shown < n_requests:
        raise FimbleError(f"only {n_shown} of {2 * n_requests} requests showed anything", "run `fimble doctor`")
    idle_ms = times(status_ms).p50_ms
    alone_ms = [max(0.0, sample_ms - idle_ms) for sample_ms in change_ms]
    return Overhead(
        n_lines=n_lines,
        n_shown=n_shown,
        completion=times(completion_ms),
        change_and_completion=times(both_ms),
        status=times(status_ms),
        change_and_status=times(change_ms),
        change=times(alone_ms),
        parts={name: times(samples_ms) for name, samples_ms in parts_ms.items()},
    )


class _Typing:
    """Two characters typed at the end of one line, and the request after each."""

    def __init__(self, rng: random.Random, lines: list[str], version: int) -> None:
        # A line that ends a statement: there the policy always asks.
        self._line = rng.choice([n for n in rng.sample(range(len(lines)), 50) if lines[n].endswith(")")] or [0])
        self._column = len(lines[self._line])
        self._version = version
        lines[self._line] += "; "

    def change(self, n_before: int = 0) -> bytes:
        at = {"line": self._line, "character": self._column + n_before}
        edit = {"range": {"start": at, "end": at}, "text": "; "[n_before]}
        document = {"uri": URI, "version": self._version + n_before}
        return encode(
            {
                "jsonrpc": "2.0",
                "method": "textDocument/didChange",
                "params": {"textDocument": document, "contentChanges": [edit]},
            }
        )

    def request(self, n_before: int = 0) -> dict[str, Any]:
        return {
            "textDocument": {"uri": URI},
            "position": {"line": self._line, "character": self._column + n_before + 1},
            "context": {"triggerKind": 2},
        }
