"""What happened while one script was played on one side. Plain values; adding them up is `measure`'s."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from fimble.bench.replay.screen import Show

STOP_LIMIT_MS = 5_000.0
"""How long the typist waits at a stop; a wait that ends without a suggestion counts as so long."""


class StopKind(enum.Enum):
    """Where the typist stopped and waited."""

    LINE_START = "line-start"
    AFTER_ACCEPT = "after-accept"
    MID_LINE = "mid-line"


@dataclass(frozen=True, slots=True)
class Stop:
    """One wait, from the key (or the acceptance) until a suggestion that agrees with the text was visible.

    `agreed_ms` is 0 if one stood there already, None if none came within the limit. `is_right`: half a second later one
    stood there that begins right. `visible_chars` is the length when it appeared, `later_chars` half a second later.
    """

    kind: StopKind
    offset: int
    agreed_ms: float | None
    is_right: bool = False
    visible_chars: int = 0
    later_chars: int = 0


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that the typist would have made anyway; `is_covered`: a suggestion that agrees stood at its end.

    `is_right`: that suggestion began right.
    """

    offset: int
    duration_ms: float
    is_covered: bool
    is_right: bool


@dataclass
class Played:
    """One script on one side. `n_script_keys` is what typing all of it by hand takes, mistakes aside."""

    path: str
    truth: str
    n_script_keys: int
    n_typed_keys: int = 0
    n_accepts: int = 0
    n_accepted_chars: int = 0
    stops: list[Stop] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    shows: list[Show] = field(default_factory=list)
    cpu_s: float = 0.0
    duration_s: float = 0.0
