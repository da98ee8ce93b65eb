"""Judge what the model wrote for one place, and put several answers in order. Pure; asks nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fimble.postprocess import pipeline
from fimble.postprocess.draft import Draft, Place
from fimble.postprocess.fit import Misfit, misfit, written_below, wrongly_silent
from fimble.records import CursorWindow, Decline, DeclineReason, Generation, Shape, StopReason

SILENT = (DeclineReason.EMPTY_ANSWER, DeclineReason.ONLY_WHITESPACE)
"""The model has said that nothing belongs here: asking again would only make it invent something, unless the lines
below say that something is missing."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer: the text after the cursor as the model wrote it, what the filters made of it, and whether it
    can stand where it is put (`misfit` names why not)."""

    text: str
    stop_reason: StopReason
    outcome: Draft | Decline
    misfit: Misfit | None = None
    log_probability: float | None = None

    @property
    def fits(self) -> bool:
        return isinstance(self.outcome, Draft) and self.misfit is None

    @property
    def doubt(self) -> str:
        """Why the answer does not fit, or an empty string."""
        if self.misfit is not None:
            return self.misfit
        return self.outcome.reason.value if isinstance(self.outcome, Decline) else ""

    @property
    def is_half(self) -> bool:
        """Whether it is right as far as it goes: only an answer that does more is better, not any other."""
        return self.misfit is Misfit.NEEDS_ANOTHER_NAME

    @property
    def calls_for_others(self) -> bool:
        """Whether other answers are worth having."""
        if self.misfit is not None:
            return True
        return isinstance(self.outcome, Decline) and self.outcome.reason not in SILENT


def judge(row: Generation, text: str, window: CursorWindow, shape: Shape) -> Candidate:
    """Filter one decoded row, whose text after the cursor is `text`, and say whether it fits there."""
    outcome = pipeline.run(text, window, shape, row.stop_reason)
    place, wrong = Place(window, shape, row.stop_reason), None
    if isinstance(outcome, Draft):
        wrong = misfit(outcome, place)
        if wrong in (None, Misfit.NEEDS_ANOTHER_NAME):
            wrong = written_below(outcome, place) or wrong
    elif outcome.reason in SILENT and row.stop_reason in (StopReason.END_TOKEN, StopReason.RULE):
        wrong = wrongly_silent(place)
    return Candidate(text, row.stop_reason, outcome, wrong, row.log_probability)


def in_order(first: Candidate, others: Sequence[Candidate]) -> list[Candidate]:
    """Give what may be shown, best first and each text once.

    The model's own first choice leads if it fits; then what fits, likeliest first. A first choice of doubtful
    fit comes last; a sampled one is not shown at all: two doubts are one too many.
    """
    fitting = sorted((c for c in others if c.fits), key=_log_probability, reverse=True)
    doubtful = [first] if isinstance(first.outcome, Draft) and not first.fits else []
    ordered = ([first] if first.fits else []) + fitting + doubtful
    return list({_shown(c): c for c in reversed(ordered)}.values())[::-1]


def _log_probability(candidate: Candidate) -> float:
    return float("-inf") if candidate.log_probability is None else candidate.log_probability


def _shown(candidate: Candidate) -> tuple[str, int]:
    """Give what the user would see of it, whichever filters it went through."""
    assert isinstance(candidate.outcome, Draft)
    return candidate.outcome.text, candidate.outcome.n_replaced_after
