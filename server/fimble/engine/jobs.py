"""The generations that wait or run, and who of them is in whose way. Runs nothing; its owner holds the lock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fimble.engine.contract import GenerationRequest, Priority
from fimble.records import Generation

Outcome = list[Generation] | Exception


@dataclass(order=True)
class Job:
    """One request in a queue; the lower priority value first, then the older."""

    priority: int
    sequence: int
    request: GenerationRequest = field(compare=False)
    resolve: Callable[[Outcome], None] = field(compare=False)
    queued_at_s: float = field(compare=False, default_factory=time.monotonic)
    n_lane: int = field(compare=False, default=0)
    is_running: bool = field(compare=False, default=False)
    is_held: bool = field(compare=False, default=False)
    held_at_s: float = field(compare=False, default=0.0)


class LiveJobs:
    """All that is queued, runs or is held."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._typed_at_s = 0.0
        self.idle_since_s = time.monotonic()

    def add(self, job: Job) -> None:
        self._jobs[job.sequence] = job

    def remove(self, job: Job) -> None:
        del self._jobs[job.sequence]
        if not job.is_held:
            self._rested(job)

    def hold(self, job: Job) -> None:
        """Take that the job waits for its owner: nothing is asked of the engine by it."""
        job.is_held, job.held_at_s = True, time.monotonic()
        self._rested(job)

    def awaits_other_than(self, request: GenerationRequest) -> bool:
        """Say whether somebody who types waits for another generation than this."""
        return any(
            job.request is not request and job.request.priority is not Priority.ACTION and not job.request.in_background
            for job in self._jobs.values()
        )

    def runs_in(self, n_lane: int) -> bool:
        """Say whether something is decoded in the lane."""
        return any(job.is_running and not job.is_held and job.n_lane == n_lane for job in self._jobs.values())

    def end_holds(self, n_kept_max: int = 0) -> bool:
        """Have the oldest of those that are held end, until so many are left; says whether there were more."""
        held = sorted((job for job in self._jobs.values() if job.is_held), key=lambda job: job.held_at_s)
        for job in held[: max(0, len(held) - n_kept_max)]:
            if job.request.standing is not None:
                job.request.standing.end()
        return len(held) > n_kept_max

    @property
    def n_held(self) -> int:
        return sum(job.is_held for job in self._jobs.values())

    @property
    def n_begun(self) -> int:
        """How many have state in the model, held ones too."""
        return sum(job.is_running for job in self._jobs.values())

    @property
    def is_idle(self) -> bool:
        """Whether nobody wants anything; what is held may be there."""
        return all(job.is_held for job in self._jobs.values())

    @property
    def has_action(self) -> bool:
        return any(job.request.priority is Priority.ACTION for job in self._jobs.values())

    def is_quiet_but_for(self, request: GenerationRequest | None, quiet_s: float) -> bool:
        """Say whether nothing else is decoded or waits, and no typing was served for so long."""
        is_alone = all(job.request is request or job.is_held for job in self._jobs.values())
        return is_alone and time.monotonic() - self._typed_at_s >= quiet_s

    def _rested(self, job: Job) -> None:
        self.idle_since_s = time.monotonic()
        if job.request.priority is Priority.TYPING:
            self._typed_at_s = time.monotonic()


def awaited() -> tuple[asyncio.Future[list[Generation]], Callable[[Outcome], None]]:
    """Give a future of the running event loop, and how any thread settles it."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[list[Generation]] = loop.create_future()

    def settle(outcome: Outcome) -> None:
        if future.done():
            return
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    def resolve(outcome: Outcome) -> None:
        # The loop may be gone when a session ends while its last generation stops.
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, outcome)

    return future, resolve
