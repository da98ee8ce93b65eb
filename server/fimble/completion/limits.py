"""What one suggestion may cost: the settings, tightened where this machine cannot hold the target with them. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from fimble.engine.figures import LINE_TOKENS, TAIL_TOKENS, Figures
from fimble.fim.head import PREFIX_SHARE_MIN, SENTINELS_MAX
from fimble.fim.prompt import PromptBudget
from fimble.settings import Settings

PREFIX_TOKENS_MIN = 288
SUFFIX_TOKENS_MIN = 96
"""Below this the model knows too little of the place; see "Calibration" in server/bench/README.md for what it costs."""
LINE_TOKENS_MIN = 40
"""Of 2,000 lines of Python packages, their indentation given, 1.0 % are longer; 0.7 % are longer than 48."""
LINE_TARGETS = 6
"""A single line may take so many targets: one that long is rare, and worth more than half of it."""
HEAD_TARGETS = 3
"""Reading a head in idle time may take so many targets: a key that comes meanwhile runs beside it, half as fast."""
READING_SHARE_MIN = 0.5
"""Of the target at least so much is for reading the prompt, however long the writing takes."""
DELAY_MS_MIN = 15
DELAY_SHARE = 0.5
"""Waiting for the next key saves reading the last lines again; it need not take longer than half of that."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds now. `whole` is the budget of a prompt of which nothing is read yet; behind a head that is kept the
    settings' budget holds, since only the last lines are read for a key."""

    whole: PromptBudget
    head_tokens_max: int | None
    line_tokens_max: int
    delay_ms: int
    is_measured: bool = False

    def __str__(self) -> str:
        whole, head = self.whole, self.head_tokens_max
        return (
            f"prompts of {whole.prefix_tokens} + {whole.suffix_tokens} tokens, "
            + (f"heads of {head}, " if head is not None else "")
            + f"lines of {self.line_tokens_max}, a wait of {self.delay_ms} ms"
        )


@lru_cache(maxsize=16)
def derive(settings: Settings, figures: Figures | None) -> Limits:
    """Give the limits for these figures: never above the settings, never below what answers need to be any good.

    Without figures, or with `calibrate` off, the settings themselves; an option that was set is left as it is.
    Units: tokens of the model that was measured.
    """
    asked = PromptBudget(settings.prefix_tokens_max, settings.suffix_tokens_max)
    if figures is None or not settings.calibrate:
        return Limits(asked, None, settings.line_tokens_max, settings.delay_ms)
    delay_ms = settings.delay_ms
    if "delay_ms" not in settings.explicit:
        reading_ms = figures.first_token_ms(2 * TAIL_TOKENS)
        delay_ms = _within(DELAY_SHARE * reading_ms, DELAY_MS_MIN, delay_ms)
    line_tokens_max = settings.line_tokens_max
    if "line_tokens_max" not in settings.explicit:
        n_tokens = LINE_TARGETS * settings.target_ms / figures.decode_ms_per_token
        line_tokens_max = _within(n_tokens, LINE_TOKENS_MIN, line_tokens_max)
    return Limits(
        _whole(settings, figures, asked, delay_ms),
        _head_tokens_max(settings, figures, asked),
        line_tokens_max,
        delay_ms,
        is_measured=True,
    )


def _whole(settings: Settings, figures: Figures, asked: PromptBudget, delay_ms: int) -> PromptBudget:
    """Give what can be read in the time that waiting and writing leave, shared out as the settings do."""
    target_ms = settings.target_ms
    left_ms = target_ms - delay_ms - LINE_TOKENS * figures.decode_ms_per_token
    n_tokens = figures.tokens_read_within(max(READING_SHARE_MIN * target_ms, left_ms))
    share = n_tokens / max(1, asked.prefix_tokens + asked.suffix_tokens)
    prefix, suffix = asked.prefix_tokens, asked.suffix_tokens
    if "prefix_tokens_max" not in settings.explicit:
        prefix = _within(share * prefix, PREFIX_TOKENS_MIN, prefix)
    if "suffix_tokens_max" not in settings.explicit:
        suffix = _within(share * suffix, SUFFIX_TOKENS_MIN, suffix)
    return PromptBudget(prefix, suffix)


def _head_tokens_max(settings: Settings, figures: Figures, asked: PromptBudget) -> int:
    """Give what of a head can be read in its time, at least as much as is worth keeping.

    Without a head each key reads a whole prompt.
    """
    beside_prefix = asked.suffix_tokens + SENTINELS_MAX
    least, most = math.ceil(PREFIX_SHARE_MIN * asked.prefix_tokens), asked.prefix_tokens
    if "prefix_tokens_max" in settings.explicit:
        return beside_prefix + most
    n_tokens = figures.tokens_read_within(HEAD_TARGETS * settings.target_ms)
    return _within(n_tokens, beside_prefix + least, beside_prefix + most)


def _within(wanted: float, least: int, most: int) -> int:
    """Give `wanted`, `least` at least and `most` at most; `most` where the two contradict each other."""
    return min(most, max(least, int(min(wanted, most))))
