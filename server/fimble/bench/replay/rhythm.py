"""How a person types: times between keys, pauses, mistakes, and how long it takes to see that a suggestion is right.

Draws depend on the place in the text alone, never on what a side showed: every side meets the same typist.
"""

from __future__ import annotations

import dataclasses
import math
import random
import tomllib
from dataclasses import dataclass
from pathlib import Path

from fimble.errors import UsageError

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Typist:
    """One person. Times are medians of log-normal draws; `share_…` are shares of 1.

    Source: transcribing people type 52 words of five characters a minute on average, 230 ms a key, times skewed to the
    right (Dhakal et al., CHI 2018, doi:10.1145/3173574.3174220). This typist's bursts are faster (about 80 words a
    minute), which leaves a server less time; with pauses the average is near theirs. Who programs stops longest at
    line ends and is slow to press Enter (Nakada and Miura 2024, doi:10.3389/fcomp.2024.1412458).
    """

    key_ms: float = 130.0
    """Within a word."""
    symbol_ms: float = 210.0
    """Before what is neither letter, digit nor the space behind a word."""
    word_ms: float = 180.0
    """Before the first character of a word."""
    line_end_ms: float = 650.0
    """Before Enter is pressed, and again behind it before the line is begun."""
    thought_ms: float = 900.0
    """A pause within a line."""
    share_thought: float = 0.06
    """Of words before which there is such a pause."""
    share_mistake: float = 0.02
    """Of letters that come out wrong first, are seen, and taken back."""
    spread_ln_width: float = 0.35
    """Standard deviation of the logarithm of each time."""
    reaction_ms: float = 540.0
    """From a suggestion's appearing to the key that accepts it: an eye movement (230), perceiving (100), two steps of
    deciding (140), the key (70). Source: the Model Human Processor, Card, Moran and Newell 1983, chapter 2."""
    after_accept_ms: float = 450.0
    """Before the key behind an accepted suggestion."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The time before one key. `is_pause` says that it is no part of a burst; `mistake` is the wrong letter first."""

    duration_ms: float
    is_pause: bool
    mistake: str = ""


PAUSE_MS_MIN = 300.0
"""A shorter gap is no pause in which a suggestion could be wanted."""


class Rhythm:
    """The draws of one typist in one text."""

    def __init__(self, typist: Typist, seed: int, name: str) -> None:
        self._typist = typist
        self._place = f"{seed}:{name}"

    @property
    def reaction_ms(self) -> float:
        return self._typist.reaction_ms

    def gap(self, offset: int, key: str, before: str, after_accept: bool = False) -> Gap:
        """Give the time before `key` at `offset`; `before` is the character that stands there."""
        typist, rng = self._typist, random.Random(f"{self._place}:{offset}")
        spread = math.exp(rng.gauss(0.0, typist.spread_ln_width))
        starts_word = key[0].isalnum() and not before.isalnum() and before != "_"
        thinks = rng.random() < typist.share_thought
        errs = rng.random() < typist.share_mistake
        wrong = rng.choice([letter for letter in LETTERS if letter != key[0].lower()])
        if after_accept:
            median_ms = typist.after_accept_ms
        elif key[0] == "\n" or before == "\n":
            median_ms = typist.line_end_ms
        elif starts_word:
            median_ms = typist.thought_ms if thinks else typist.word_ms
        else:
            median_ms = typist.key_ms if key[0].isalnum() or key[0] in "_ " else typist.symbol_ms
        duration_ms = median_ms * spread
        return Gap(duration_ms, duration_ms >= PAUSE_MS_MIN, wrong if errs and key.isalpha() else "")

    def key_ms(self, offset: int, number: int) -> float:
        """Give the time before one more key at the same place, such as the one that takes a mistake back."""
        rng = random.Random(f"{self._place}:{offset}:{number}")
        return self._typist.symbol_ms * math.exp(rng.gauss(0.0, self._typist.spread_ln_width))


def read_typist(path: Path | None) -> Typist:
    """Give the typist described by a TOML file of the fields above, the default one without a file.

    Errors: UsageError for a file that cannot be read, an unknown key or a value that is no positive number.
    """
    if path is None:
        return Typist()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read the typist `{path}`: {error}") from error
    known = {field.name for field in dataclasses.fields(Typist)}
    for key, value in raw.items():
        if key not in known:
            raise UsageError(f"`{path}` has an unknown key `{key}`", "known: " + ", ".join(sorted(known)))
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise UsageError(f"`{key}` in `{path}` is no number from 0 up")
    return Typist(**{key: float(value) for key, value in raw.items()})
