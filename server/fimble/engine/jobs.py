"""The generations that wait or run, and who of them is in whose way. Runs nothing; its owner holds the lock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fimble.engine.contract import GenerationRequest, Priority
from fimble.records import Generation


@dataclass(order=True)
class Job:
    """One request in a queue; the lower priority value first, then the older."""

    priority: int
    sequence: int
    request: GenerationRequest = field(compare=False)
    resolve: Callable[[list[Generation] | Exception], None] = field(compare=False)
    queued_at_s: float = field(compare=False, default_factory=time.monotonic)


class LiveJobs:
    """All that is queued or runs."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._typed_at_s = 0.0
        self.idle_since_s = time.monotonic()

    def add(self, job: Job) -> None:
        self._jobs[job.sequence] = job

    def remove(self, job: Job) -> None:
        del self._jobs[job.sequence]
        self.idle_since_s = time.monotonic()
        if job.request.priority is Priority.TYPING:
            self._typed_at_s = time.monotonic()

    def awaits_other_than(self, request: GenerationRequest) -> bool:
        """Say whether somebody who types waits for another generation than this."""
        return any(
            job.request is not request and job.request.priority is not Priority.ACTION and not job.request.in_background
            for job in self._jobs.values()
        )

    @property
    def is_empty(self) -> bool:
        return not self._jobs

    @property
    def has_action(self) -> bool:
        return any(job.request.priority is Priority.ACTION for job in self._jobs.values())

    def is_quiet_but_for(self, request: GenerationRequest | None, quiet_s: float) -> bool:
        """Say whether there is nothing else, and no typing was served for so long."""
        is_alone = all(job.request is request for job in self._jobs.values())
        return is_alone and time.monotonic() - self._typed_at_s >= quiet_s
