"""Whether a real server stays as it is over thousands of requests: memory, threads, nothing left unanswered."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from fimble.bench.process_tree import rest_mib
from fimble.bench.resident import resident_mib
from fimble.bench.sample import real_code
from fimble.bench.wire import MeasuredServer, encode, shown_items
from fimble.engine.gate import HOLD_S_MAX
from fimble.errors import EngineError, UsageError
from fimble.text.position import Encoding, n_units

LINES_PER_DOCUMENT = 40
JUMP_SHARE = 0.25
"""So many requests come from another document than the one before."""
BURST_SHARE = 0.2
"""So many are overtaken by a key: edited on, cancelled, asked again."""
ANSWER_MS_MAX = 60_000
WARM_SHARE = 1 / 6
"""What fills caches and arenas; memory has to be flat from then on."""
N_SAMPLES = 24


@dataclass(frozen=True, slots=True)
class Soak:
    """Memory is read while the server rests: right behind an answer it also holds what it worked with.

    `growth_share`: highest memory behind the first sixth of what was asked for, over that at its end. Threads: then,
    and at the end. `n_requests` are those that were made.
    """

    n_requests: int
    n_documents: int
    n_cancelled: int
    n_shown: int
    n_unanswered: int
    loaded_mib: float
    warm_mib: float
    highest_mib: float
    last_mib: float
    growth_share: float
    resident_mib: list[float]
    n_threads_warm: int
    n_threads_last: int


def measure(
    n_requests: int,
    n_documents: int,
    model: str | None = None,
    seed: int = 7,
    on_request: Callable[[int], None] = lambda n_done: None,
    options: dict[str, object] | None = None,
    duration_s_max: float = math.inf,
    n_samples: int = N_SAMPLES,
) -> Soak:
    """Edit and ask all over `n_documents` open documents, `n_requests` times or until the time is up.

    Errors: FimbleError if the model is missing or the server ends; UsageError if the time was too short.
    """
    rng = random.Random(seed)
    settings: dict[str, object] = {"delay_ms": 0, "log_level": "error"} | ({"model": model} if model else {})
    settings |= options or {}
    with MeasuredServer(settings) as server:
        process = psutil.Process(server.pid)
        server.wait_ready()
        typist = _Typist(server, n_documents, rng)
        loaded_mib = resident_mib(process)
        held_s = 0.0 if settings.get("hold") is False else HOLD_S_MAX
        n_warm, n_apart = max(1, round(n_requests * WARM_SHARE)), max(1, n_requests // n_samples)
        warm_mib, n_threads_warm, sampled_mib = loaded_mib, 0, []
        n_done, end_at_s = 0, time.monotonic() + duration_s_max
        while n_done < n_requests and time.monotonic() < end_at_s:
            typist.ask()
            n_done += 1
            if n_done == n_warm:
                warm_mib, n_threads_warm = rest_mib(process, held_s), process.num_threads()
            if n_done % n_apart == 0:
                sampled_mib.append(rest_mib(process, held_s))
            on_request(n_done)
        if n_done < n_warm:
            raise UsageError(
                f"only {n_done} requests were answered in time", "give more `--minutes`, or fewer requests"
            )
        last_mib, n_threads_last = rest_mib(process, held_s), process.num_threads()
    highest_mib = max([*sampled_mib[n_warm // n_apart :], last_mib])
    return Soak(
        n_done,
        n_documents,
        typist.n_cancelled,
        typist.n_shown,
        typist.n_unanswered,
        loaded_mib,
        warm_mib,
        highest_mib,
        last_mib,
        round(highest_mib / warm_mib - 1, 3),
        sampled_mib,
        n_threads_warm,
        n_threads_last,
    )


class _Typist:
    """Edits lines of real code here and there, and asks at what was typed."""

    def __init__(self, server: MeasuredServer, n_documents: int, rng: random.Random) -> None:
        self.n_cancelled = self.n_shown = self.n_unanswered = 0
        self._server, self._rng, self._at = server, rng, 0
        code = real_code().split("\n")
        self._lines: list[list[str]] = []
        self._versions = [1] * n_documents
        for number in range(n_documents):
            start = rng.randrange(max(1, len(code) - LINES_PER_DOCUMENT))
            self._lines.append(code[start : start + LINES_PER_DOCUMENT])
            text = "\n".join(self._lines[number])
            item = {"uri": _uri(number), "languageId": "python", "version": 1, "text": text}
            server.notify("textDocument/didOpen", {"textDocument": item})

    def ask(self) -> None:
        """Type a key or a line somewhere and ask there; sometimes type on before the answer comes."""
        rng = self._rng
        if rng.random() < JUMP_SHARE:
            self._at = rng.randrange(len(self._lines))
        lines = self._lines[self._at]
        line = rng.randrange(len(lines))
        start = rng.randint(0, len(lines[line]))
        # Typed over: so the documents stay as long as they are.
        before = self._edit(line, start, rng.choice(("x", "y = ", "self.", "return ", "")))
        number = self._server.begin("textDocument/inlineCompletion", self._place(line), before)
        if rng.random() < BURST_SHARE:
            self._server.notify("$/cancelRequest", {"id": number})
            self.n_cancelled += 1
            self._finish(number)
            before = self._edit(line, start, "z")
            number = self._server.begin("textDocument/inlineCompletion", self._place(line), before)
        self.n_shown += bool(shown_items(self._finish(number)))

    def _finish(self, number: int) -> object:
        try:
            return self._server.finish(number, ANSWER_MS_MAX)
        except EngineError as error:
            # A cancelled request is answered with an error, by protocol; none at all is what is looked for.
            self.n_unanswered += "in time" in error.message
            if "ended" in error.message or "gone" in error.message:
                raise
            return None

    def _edit(self, line: int, start: int, text: str) -> bytes:
        """Put `text` over as many characters of the line; gives the message that says so."""
        lines = self._lines[self._at]
        old = lines[line]
        end = min(len(old), start + len(text))
        lines[line] = old[:start] + text + old[end:]
        self._versions[self._at] += 1
        places = {
            "start": {"line": line, "character": n_units(old[:start], Encoding.UTF16)},
            "end": {"line": line, "character": n_units(old[:end], Encoding.UTF16)},
        }
        identifier = {"uri": _uri(self._at), "version": self._versions[self._at]}
        change = {"textDocument": identifier, "contentChanges": [{"range": places, "text": text}]}
        return encode({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": change})

    def _place(self, line: int) -> dict[str, object]:
        column = n_units(self._lines[self._at][line], Encoding.UTF16)
        return {
            "textDocument": {"uri": _uri(self._at)},
            "position": {"line": line, "character": column},
            "context": {"triggerKind": 2},
        }


def _uri(number: int) -> str:
    return f"file:///bench/soak_{number}.py"
