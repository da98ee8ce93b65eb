"""How fast one model was measured to be on one machine, and what follows for times. Numbers alone; measures nothing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TAIL_TOKENS = 32
"""What is read for a key behind a head that is kept: the last lines and the sentinel, as a rule."""
LINE_TOKENS = 10
"""The rest of a line, as a rule: the mean of 2,000 lines of Python packages, indentation given, is 9.8 tokens."""
GROWTH_MAX = 2.0
"""Attention compares each token with each: the time grows with the square at most, whatever noise says."""
EXTRAPOLATED_TOKENS_MAX = 1 << 17


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. `prefill_ms` holds (tokens, time to the first decoded token), by growing size.

    `measured_at` is a UTC time in ISO 8601. `was_busy`: the machine had other work, so the model may be faster.
    """

    prefill_ms: tuple[tuple[int, float], ...]
    decode_ms_per_token: float
    measured_at: str = ""
    was_busy: bool = False

    def __post_init__(self) -> None:
        """Errors: ValueError if these are no times that can be reckoned with."""
        sizes = [n_tokens for n_tokens, _ in self.prefill_ms]
        times_ms = [*(time_ms for _, time_ms in self.prefill_ms), self.decode_ms_per_token]
        if not sizes or sizes[0] < 1 or any(a >= b for a, b in itertools.pairwise(sizes)):
            raise ValueError("prefill times are not by growing size")
        if not all(math.isfinite(time_ms) and time_ms > 0 for time_ms in times_ms):
            raise ValueError("a time is not a positive number")

    def first_token_ms(self, n_tokens: int) -> float:
        """Give how long reading `n_tokens` takes, straight lines between what was measured; it never falls.

        Beyond the largest size it grows as between the last two, at least in proportion and at most with the square.
        """
        before_n, before_ms = 0, self.prefill_ms[0][1]
        growth = 1.0
        for size, measured_ms in self.prefill_ms:
            time_ms = max(before_ms, measured_ms)
            if n_tokens <= size:
                return before_ms + (time_ms - before_ms) * (n_tokens - before_n) / (size - before_n)
            if before_n:
                growth = min(GROWTH_MAX, max(1.0, math.log(time_ms / before_ms) / math.log(size / before_n)))
            before_n, before_ms = size, time_ms
        return float(before_ms * (n_tokens / before_n) ** growth)

    def tokens_read_within(self, limit_ms: float) -> int:
        """Give how many tokens can be read in that time; 0 if not even one."""
        low, high = 0, EXTRAPOLATED_TOKENS_MAX
        while low < high:
            middle = (low + high + 1) // 2
            if self.first_token_ms(middle) <= limit_ms:
                low = middle
            else:
                high = middle - 1
        return low

    @property
    def line_ms(self) -> float:
        """How long the rest of a line takes, behind a head that is kept."""
        return self.first_token_ms(TAIL_TOKENS) + LINE_TOKENS * self.decode_ms_per_token

    def scaled(self, factor: float) -> Figures:
        """Give what a model of `factor` times the weights may be expected to take.

        Decoding reads every weight for each token, and prefill multiplies by each (server/bench/README.md).
        """
        prefill_ms = tuple((n_tokens, time_ms * factor) for n_tokens, time_ms in self.prefill_ms)
        return Figures(prefill_ms, self.decode_ms_per_token * factor, self.measured_at, self.was_busy)

    def rounded(self) -> Figures:
        """Give the figures as precise as they are kept. Errors: ValueError if one of them is next to nothing."""
        return from_json(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values; `from_json` reads them."""
        return {
            "prefill_ms": [[n_tokens, round(time_ms, 3)] for n_tokens, time_ms in self.prefill_ms],
            "decode_ms_per_token": round(self.decode_ms_per_token, 4),
            "measured_at": self.measured_at,
            "was_busy": self.was_busy,
        }


def from_json(raw: Mapping[str, Any]) -> Figures:
    """Read figures. Errors: ValueError, KeyError or TypeError if they are not such."""
    prefill_ms = tuple((int(n_tokens), float(time_ms)) for n_tokens, time_ms in raw["prefill_ms"])
    measured_at, was_busy = raw["measured_at"], raw["was_busy"]
    if not isinstance(measured_at, str) or not isinstance(was_busy, bool):
        raise TypeError("not the figures of a calibration")
    return Figures(prefill_ms, float(raw["decode_ms_per_token"]), measured_at, was_busy)
