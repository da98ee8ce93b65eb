"""What the typist needs of a side, and what a side spends: processor time, memory, tokens. No side's own protocol."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

import psutil

from fimble.bench.replay.screen import Screen
from fimble.bench.resident import peak_mib, resident_mib

QUIET_POLL_S = 0.1
QUIET_SHARE_MAX = 0.05
"""A side that uses no more than this share of a core has nothing left to do."""
QUIET_LIMIT_S = 15.0


@dataclass(frozen=True, slots=True)
class Work:
    """What the model did so far. `n_generations` counts runs, those that were cut off too.

    `n_prefilled_tokens` are prompt tokens that were read, what a cache spared left out; `n_decoded_tokens` are all
    tokens written, shown or not.
    """

    n_generations: int = 0
    n_prefilled_tokens: int = 0
    n_decoded_tokens: int = 0

    def plus(self, later: Work) -> Work:
        return Work(
            self.n_generations + later.n_generations,
            self.n_prefilled_tokens + later.n_prefilled_tokens,
            self.n_decoded_tokens + later.n_decoded_tokens,
        )

    def since(self, earlier: Work) -> Work:
        return Work(
            self.n_generations - earlier.n_generations,
            self.n_prefilled_tokens - earlier.n_prefilled_tokens,
            self.n_decoded_tokens - earlier.n_decoded_tokens,
        )


class Side(Protocol):
    """One way to get ghost text. The screen is the side's; the typist changes it through these methods only."""

    name: str
    screen: Screen

    @property
    def pid(self) -> int:
        """The root of the process tree that all of the side's work is done in."""

    def start(self) -> None:
        """Start, and wait until the model is ready. Errors: FimbleError."""

    def open(self, path: str, language: str, before: str, after: str) -> None:
        """Open a file with the cursor between `before` and `after`; nothing is asked before the first key."""

    def type(self, key: str) -> None:
        """Press one key at the cursor."""

    def erase(self, n_chars: int) -> None:
        """Press backspace."""

    def accept(self, text: str) -> None:
        """Take `text`, the ghost text or its first lines."""

    def close_file(self) -> None:
        """Close the file."""

    def work(self) -> Work:
        """Say what the model did since the start. Errors: FimbleError."""

    def stop(self) -> None:
        """End the processes."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds of a process tree so far and the most memory it was seen to hold."""

    cpu_s: float
    peak_mib: float


def spent(pid: int) -> Spent:
    """Look at a process and its children."""
    cpu_s, highest_mib = 0.0, 0.0
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.Error:
        return Spent(0.0, 0.0)
    for process in processes:
        try:
            times = process.cpu_times()
            cpu_s += times.user + times.system
            highest_mib += peak_mib(process) or resident_mib(process)
        except psutil.Error:
            continue
    return Spent(cpu_s, round(highest_mib, 1))


def wait_quiet(pid: int) -> None:
    """Wait until a process tree has nothing to do, so that the next side has the machine for itself."""
    give_up_at_s = time.monotonic() + QUIET_LIMIT_S
    before = spent(pid).cpu_s
    while time.monotonic() < give_up_at_s:
        time.sleep(QUIET_POLL_S)
        now = spent(pid).cpu_s
        if now - before <= QUIET_SHARE_MAX * QUIET_POLL_S:
            return
        before = now
