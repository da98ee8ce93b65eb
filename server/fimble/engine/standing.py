"""Whether somebody waits for a generation, and whether it waits itself. Runs nothing; who changes it tells the rest."""

from __future__ import annotations

from collections.abc import Callable


class Standing:
    """How urgent one generation is; may change, from any thread, while it runs.

    One in the background gives way to typing: it stops within one token, and no action pauses for it.
    One that is *held* waits in its decode callback with all its state, at no cost, until it is to `go_on` or to `end`.
    An engine that has no room for it ends it instead; so its owner may find it over at any time.
    `n_kept_tokens` of the prompt are kept read, known once it has begun.
    """

    def __init__(self, in_background: bool = False) -> None:
        self._in_background = in_background
        self._is_held = False
        self._watchers: list[Callable[[], None]] = []
        self.is_ended = False
        self.n_kept_tokens = 0
        self.n_stretches = 1
        self.n_tokens_max = 0
        self.deadline_at_s: float | None = None

    @property
    def in_background(self) -> bool:
        """Whether nobody waits for it."""
        return self._in_background

    @in_background.setter
    def in_background(self, is_so: bool) -> None:
        if is_so != self._in_background:
            self._in_background = is_so
            self.tell()

    @property
    def is_held(self) -> bool:
        """Whether it waits where it is, or is about to."""
        return self._is_held and not self.is_ended

    def hold(self) -> None:
        """Have it wait behind the token that is being looked at; called by the generation's own rules."""
        self._in_background = self._is_held = True
        self.tell()

    def go_on(self, deadline_at_s: float, n_tokens_max: int, *, in_background: bool) -> None:
        """Have it decode on, within a limit and a deadline that take the place of those it had."""
        self.deadline_at_s, self.n_tokens_max = deadline_at_s, n_tokens_max
        self._in_background = in_background
        self.n_stretches += 1
        self._is_held = False
        self.tell()

    def end(self) -> None:
        """Have it end where it waits; one that runs is not touched."""
        if self.is_held:
            self.is_ended = True
            self.tell()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` behind each change, from whatever thread made it."""
        self._watchers.append(watcher)

    def tell(self) -> None:
        """Have the watchers look again."""
        for watcher in tuple(self._watchers):
            watcher()


class Allowance:
    """The tokens of one generation: so many in a stretch, and so many in all. Belongs to the thread that decodes."""

    def __init__(self, n_tokens_max: int, n_more_tokens_max: int, standing: Standing | None) -> None:
        self._n_tokens_max = n_tokens_max
        self._standing = standing
        self.n_in_all_max = n_tokens_max + (n_more_tokens_max if standing is not None else 0)
        self._n_stretches = 1
        self._n_tokens = self._n_in_all = 0

    def take(self) -> None:
        """Count one token. Called before it is looked at, since that is where the generation may be held."""
        standing = self._standing
        if standing is not None and standing.n_stretches != self._n_stretches:
            self._n_stretches, self._n_tokens, self._n_tokens_max = standing.n_stretches, 0, standing.n_tokens_max
        self._n_tokens += 1
        self._n_in_all += 1

    @property
    def is_spent(self) -> bool:
        """Whether there may be no further token; asked behind the look, after which a new stretch may have begun."""
        if self._n_in_all >= self.n_in_all_max:
            return True
        is_renewed = self._standing is not None and self._standing.n_stretches != self._n_stretches
        return self._n_tokens >= self._n_tokens_max and not is_renewed
