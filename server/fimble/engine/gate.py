"""What becomes of a generation behind each of its tokens: it stops, pauses, is held, or goes on. Starts nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from fimble.engine.contract import Backend, Priority
from fimble.engine.jobs import Job, LiveJobs
from fimble.records import StopReason

POLL_S = 0.05
"""How long a paused generation sleeps between looks at its cancel token."""

HOLD_S_MAX = 10.0
"""Who has not gone on from a line by then is elsewhere. Its state takes more memory than a head, and where the head is
kept, all that is saved is reading a few lines behind it."""

HELD_POLL_S = 1.0
"""A held generation is told when it is to go on or to end; this is how long it sleeps if somebody forgot to."""


class Gate:
    """Asked on the threads that decode, under their owner's lock, which sleeping gives up."""

    def __init__(self, condition: threading.Condition, live: LiveJobs, is_closed: Callable[[], bool]) -> None:
        self._condition = condition
        self._live = live
        self._is_closed = is_closed

    def __call__(self, job: Job, backend: Backend) -> StopReason | None:
        """Say why the job is to stop; comes back when it may go on."""
        request, live = job.request, self._live
        with self._condition:
            if self._is_closed():
                return StopReason.CANCELLED
            if request.is_held and (stop := self._hold(job, backend)) is not None:
                return stop
            if request.priority is not Priority.ACTION:
                return self._give_way(job, backend) if self._gives_way(job) else None
            if backend.n_lanes > 1:
                while live.awaits_other_than(request) and not self._is_closed() and not request.token.cancelled:
                    self._condition.wait(POLL_S)
        return None

    def _hold(self, job: Job, backend: Backend) -> StopReason | None:
        """Wait until somebody wants more of it; says why it is to end if nobody does, or its place is wanted."""
        standing = job.request.standing
        # One replica at least stays free for whoever types next.
        n_holds_max = backend.n_lanes - 1
        if standing is None or not n_holds_max:
            return StopReason.RULE
        self._live.end_holds(n_holds_max - 1)
        self._live.hold(job)
        self._condition.notify_all()
        # What the prefill has left over goes back to the system, as it would behind a result.
        self._condition.release()
        try:
            backend.tidy()
        finally:
            self._condition.acquire()
        end_at_s = time.monotonic() + HOLD_S_MAX
        while standing.is_held or self._live.runs_in(job.n_lane):
            if self._is_out(job):
                return StopReason.CANCELLED
            if not standing.is_held and self._gives_way(job):
                standing.hold()
            left_s = end_at_s - time.monotonic()
            if standing.is_held and left_s <= 0:
                standing.end()
            elif not standing.is_ended:
                # One that is to go on waits for its turn among those who type.
                self._condition.wait(min(left_s, HELD_POLL_S) if standing.is_held else POLL_S)
            if standing.is_ended:
                return StopReason.RULE
        if standing.is_ended:
            return StopReason.RULE
        job.is_held = False
        return StopReason.CANCELLED if self._is_out(job) else None

    def _gives_way(self, job: Job) -> bool:
        """Say whether nobody waits for the job and somebody wants the machine."""
        request = job.request
        return request.in_background and (self._live.awaits_other_than(request) or self._live.has_action)

    def _give_way(self, job: Job, backend: Backend) -> StopReason | None:
        """Stop; what was held once, and so has been wanted, is held again."""
        standing = job.request.standing
        if standing is None or standing.n_stretches == 1:
            return StopReason.CANCELLED
        standing.hold()
        return self._hold(job, backend)

    def _is_out(self, job: Job) -> bool:
        return self._is_closed() or job.request.token.cancelled
