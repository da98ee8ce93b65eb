"""What a confined run may use and what came of it. Plain values; running is in `process`."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use.

    `memory_bytes` and `n_processes` count the whole tree of processes and are enforced by looking at it, so
    they may be passed for a moment; `address_space_bytes` is a hard limit of each process (leave it None for
    runtimes that reserve much more than they touch: Go, Node, the JVM). CPU time is per process, in whole
    seconds rounded up. `output_bytes_max` bounds what is kept of each of stdout and stderr.
    """

    wall_ms: int = 10_000
    cpu_ms: int = 10_000
    memory_bytes: int = 1 << 30
    address_space_bytes: int | None = None
    file_bytes_max: int = 16 << 20
    n_processes: int = 32
    output_bytes_max: int = 64 << 10


class Verdict(enum.Enum):
    """How a run ended."""

    PASSED = "passed"
    """Exit code 0."""
    FAILED = "failed"
    """Another exit code."""
    SIGNAL = "signal"
    """Killed by a signal that no limit sent."""
    WALL_TIME = "wall-time"
    CPU_TIME = "cpu-time"
    MEMORY = "memory"
    PROCESSES = "processes"
    NOT_STARTED = "not-started"
    """The program could not be executed; `Outcome.stderr` says why."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What the platform let the sandbox enforce, beyond the limits.

    `network`: `none` (no interface exists), `no-tcp` (TCP is refused, the rest is not), `open`.
    `writes`: the program can write in its own folder only. `tree`: no process of it can outlive the run.
    """

    network: str = "open"
    writes: bool = False
    tree: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished run; `exit_code` and `signal` are None where they do not apply."""

    verdict: Verdict
    exit_code: int | None = None
    signal: int | None = None
    stdout: str = ""
    stderr: str = ""
    wall_ms: float = 0.0
    confinement: Confinement = field(default_factory=Confinement)

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASSED
