"""Judge the answers of one request and choose the best. Asks no model; runs examples only where it is told to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fimble.actions import examples, stop, verify
from fimble.actions.outcome import ActionRefusedError, Check, Draft, Refusal, apply_edits
from fimble.actions.place import Place
from fimble.actions.plan import Plan
from fimble.records import Generation, StopReason


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer and what was found out about it. `draft` is None where no code could be taken from it."""

    raw_text: str
    draft: Draft | None
    checks: tuple[Check, ...]
    log_probability: float
    n_examples_passed: int = 0
    n_examples: int = 0

    @property
    def passed(self) -> bool:
        return self.draft is not None and all(c.passed or not c.blocking for c in self.checks)

    @property
    def convinces(self) -> bool:
        """Whether there is nothing against it, not even what may have been misread."""
        return self.draft is not None and all(c.passed for c in self.checks)

    @property
    def failed_check(self) -> Check | None:
        return next((c for c in self.checks if not c.passed and c.blocking), None)

    @property
    def doubts(self) -> tuple[Check, ...]:
        """Give what did not pass and yet does not forbid to apply it."""
        return tuple(c for c in self.checks if not c.passed and not c.blocking)

    @property
    def rank(self) -> tuple[bool, float, int, float]:
        """Order by what is passed, then by log-probability per token."""
        share = self.n_examples_passed / self.n_examples if self.n_examples else 0.0
        return (self.passed, share, sum(c.passed for c in self.checks), self.log_probability)


GREEDY_LOG_PROBABILITY = 0.0
"""The engine gives none for a greedy row; it took the likeliest token each time, so it goes before sampled rows."""


def judge(
    place: Place, plan: Plan, generation: Generation, *, chat: bool = True, runs_examples: bool = False
) -> Candidate:
    """Read one answer, verify it, and run the place's examples where allowed. Blocks while examples run.

    Without `chat` the answer is the middle of a fill-in-the-middle prompt.
    """
    text = answer_text(plan, generation.text, place.facts.language) if chat else generation.text
    log_probability = generation.log_probability
    per_token = (
        GREEDY_LOG_PROBABILITY if log_probability is None else log_probability / max(1, generation.n_decoded_tokens)
    )
    try:
        read = plan.read if chat or plan.read_infill is None else plan.read_infill
        draft = verify.complete_imports(place, read(text))
        checks = verify.check(place, draft) if plan.verified else ()
    except ActionRefusedError as error:
        refusal, message = error.refusal, error.message
        if generation.stop_reason is StopReason.LENGTH:
            refusal, message = Refusal.CUT_OFF, "the answer was cut off at the limit of tokens"
        return Candidate(text, None, (Check("can be read", False, message, refusal),), per_token)
    candidate = Candidate(text, draft, checks, per_token)
    if plan.verified and stop.is_looping(generation.text):
        loop = Check("comes to an end", False, "the answer goes round in circles", Refusal.LOOPS)
        candidate = replace(candidate, checks=(loop, *checks))
    elif plan.verified and generation.stop_reason is StopReason.LENGTH:
        # What was asked for may have come before the limit: if all else passes, it is shown with a warning.
        detail = "the answer was cut off at the limit of tokens"
        cut = Check("is whole", False, detail, Refusal.CUT_OFF, blocking=not candidate.passed)
        candidate = replace(candidate, checks=(cut, *checks))
    if runs_examples and candidate.passed and draft.edits:
        candidate = _with_examples(place, plan, candidate, draft)
    return candidate


def answer_text(plan: Plan, text: str, language: str) -> str:
    """Give the whole answer: the prefill and what the model made of it, up to the end of its code."""
    if not plan.fenced:
        return plan.ask.prefill + text
    end = stop.fenced_end(plan.ask.prefill, text, language)
    return plan.ask.prefill + (text if end is None else text[:end].rstrip() + "\n```\n")


def _with_examples(place: Place, plan: Plan, candidate: Candidate, draft: Draft) -> Candidate:
    program = apply_edits(place.text, draft.edits)
    found = examples.find(plan.examples_of, program, draft.promised[0] if draft.promised else "", place.facts.language)
    if not found:
        return candidate
    ran = examples.check(program, found)
    if ran.is_blind:
        return candidate
    checks = list(candidate.checks)
    for in_prose in (False, True):
        agrees = [a for a, example in zip(ran.agrees, found, strict=True) if example.in_prose is in_prose]
        if not agrees:
            continue
        passed = all(agrees)
        detail = "" if passed else ran.problem or f"{sum(agrees)} of {len(agrees)} examples give what they should"
        name = "keeps what its text gives as examples" if in_prose else "keeps its examples"
        checks.append(Check(name, passed, detail, Refusal.EXAMPLES_FAIL, blocking=not in_prose))
    return replace(candidate, checks=tuple(checks), n_examples_passed=sum(ran.agrees), n_examples=len(found))


def best(candidates: Sequence[Candidate]) -> Candidate:
    """Give the candidate of the highest rank; of equals the first."""
    return max(candidates, key=lambda c: c.rank)
