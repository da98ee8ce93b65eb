"""Whether a model may keep one more head, and the room for it: kept heads can only be dropped all together."""

from __future__ import annotations

import threading

from fimble.engine.contract import Backend, GenerationRequest, Priority
from fimble.engine.heads import HeadBook
from fimble.engine.jobs import LiveJobs
from fimble.engine.rest import Rest

QUIET_S = 1.0
"""So long nobody has typed before heads are dropped for one that nobody waits for: that takes as long as loading
the weights (0.4 s with 0.5B)."""
ENDING_S_MAX = 0.5
"""What is held ends as soon as it is told to; so long that is waited for."""


class Room:
    """Belongs to a worker, and is asked on the threads that decode, without its lock; `condition` is that lock."""

    def __init__(self, condition: threading.Condition, live: LiveJobs, rest: Rest) -> None:
        self._condition = condition
        self._live = live
        self._rest = rest
        self.is_dropping = False

    def admits(self, request: GenerationRequest, backend: Backend) -> bool:
        """Say whether the request's head is kept or may be, once others were dropped for it where that pays.

        Errors: EngineError if the weights cannot be loaded again.
        """
        head, heads = request.prompt.head, backend.heads
        if heads is None or not heads.may_hold(head):
            return False
        with self._condition:
            if request.warms_head and self._live.awaits_other_than(request):
                return False
            if heads.has(head) or heads.has_room(head):
                return True
            if not self._may_drop(request, heads):
                return False
            self.is_dropping = True
            # A hold is worth one prefill, a head the same for each key to come.
            self._live.end_holds()
            self._condition.wait_for(lambda: self._live.n_begun == 1, ENDING_S_MAX)
        try:
            return self._rest.drop_heads(backend)
        finally:
            with self._condition:
                self.is_dropping = False
                self._condition.notify_all()

    def _may_drop(self, request: GenerationRequest, heads: HeadBook) -> bool:
        """Say whether the heads that are kept may go.

        Whoever types waits for that. Reading a prompt without its head costs about as much each time, so it is done
        for a head that is wanted again: at most twice the time of whoever knew what is wanted next.
        """
        if request.priority is Priority.TYPING:
            return self._live.n_begun - self._live.n_held == 1 and heads.is_refused_again(request.prompt.head)
        return request.warms_head and self._live.is_quiet_but_for(request, QUIET_S)
