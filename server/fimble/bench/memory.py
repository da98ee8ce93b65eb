"""How much memory a real server holds: after the model is loaded, and after many requests."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from fimble.bench.process_tree import rest_mib
from fimble.bench.resident import peak_mib, resident_mib
from fimble.bench.sample import real_code
from fimble.bench.wire import MeasuredServer, shown_items
from fimble.engine.gate import HOLD_S_MAX

N_DOCUMENTS = 8


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Resident memory of the server process in MiB; `peak` as the system kept it.

    `resident` is read every tenth of the way, right behind an answer, when what was worked with is not given back yet
    and more is being prepared; `rest` behind the last one, once nothing is done or held any more.
    """

    n_requests: int
    n_shown: int
    started_mib: float
    loaded_mib: float
    resident_mib: list[float]
    rest_mib: float
    peak_mib: float | None


def measure(
    n_requests: int,
    model: str | None = None,
    seed: int = 7,
    on_request: Callable[[int], None] = lambda n_done: None,
) -> MemoryUse:
    """Ask `n_requests` times at line ends of eight open documents of real code, and look at the server.

    Errors: FimbleError if the model is missing or the server fails.
    """
    rng = random.Random(seed)
    lines = real_code().split("\n")
    options: dict[str, object] = {"delay_ms": 0, "log_level": "error"} | ({"model": model} if model else {})
    sampled_mib: list[float] = []
    n_shown = 0
    with MeasuredServer(options) as server:
        process = psutil.Process(server.pid)
        started_mib = resident_mib(process)
        server.wait_ready()
        loaded_mib = resident_mib(process)
        for number in range(N_DOCUMENTS):
            # Each its own part of the code: prompts of one document must not serve another.
            part = lines[number * len(lines) // N_DOCUMENTS :]
            item = {"uri": _uri(number), "languageId": "python", "version": 1, "text": "\n".join(part)}
            server.notify("textDocument/didOpen", {"textDocument": item})
        for n_done in range(1, n_requests + 1):
            number = rng.randrange(N_DOCUMENTS)
            part = lines[number * len(lines) // N_DOCUMENTS :]
            line = rng.randrange(len(part))
            params = {
                "textDocument": {"uri": _uri(number)},
                "position": {"line": line, "character": len(part[line])},
                "context": {"triggerKind": 2},
            }
            n_shown += bool(shown_items(server.request("textDocument/inlineCompletion", params)))
            if n_done % max(1, n_requests // 10) == 0:
                sampled_mib.append(resident_mib(process))
            on_request(n_done)
        last_mib = rest_mib(process, HOLD_S_MAX)
        highest_mib = peak_mib(process)
    peak = None if highest_mib is None else round(highest_mib, 1)
    return MemoryUse(n_requests, n_shown, started_mib, loaded_mib, sampled_mib, last_mib, peak)


def _uri(number: int) -> str:
    return f"file:///bench/memory_{number}.py"
