"""Decides whether a place is worth asking about and how much to ask for. Pure: no clock, no engine, no document."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fimble.completion.limits import Limits, derive
from fimble.engine.contract import EngineState
from fimble.fim.prompt import PromptBudget
from fimble.postprocess.language import Family
from fimble.postprocess.site import Site, Spot, opens_block, survey
from fimble.records import CursorWindow, Decline, DeclineReason, Shape, Trigger
from fimble.settings import Settings

# Behind these a line is complete; what could follow starts on the next line.
_STATEMENT_ENDED = re.compile(r"[;}]\s*\Z")

INVOKED_PROMPT_FACTOR = 2
"""Who asks by a key waits for the answer and is given more to go by than who types on."""


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """All that the decision depends on. `line_chars` is the length of the cursor's line in the document.

    Without `limits` the settings are the limits.
    """

    settings: Settings
    trigger: Trigger
    window: CursorWindow
    engine_state: EngineState
    document_bytes: int
    line_chars: int
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What to ask the model for, and how long to wait for the next key before.

    `whole` is the budget of a prompt of which nothing is read yet, where that is less.
    """

    shape: Shape
    lines_max: int
    decoded_tokens_max: int
    delay_ms: int
    prefix_tokens_max: int
    suffix_tokens_max: int
    whole: PromptBudget | None = None

    @property
    def budget(self) -> PromptBudget:
        return PromptBudget(self.prefix_tokens_max, self.suffix_tokens_max)

    @property
    def whole_budget(self) -> PromptBudget:
        return self.whole or self.budget


_BY_STATE = {
    EngineState.UNLOADED: DeclineReason.MODEL_LOADING,
    EngineState.LOADING: DeclineReason.MODEL_LOADING,
    EngineState.MISSING: DeclineReason.MODEL_NOT_INSTALLED,
    EngineState.FAILED: DeclineReason.ENGINE_FAILED,
    EngineState.CLOSED: DeclineReason.SHUTTING_DOWN,
}


def decide(facts: PolicyFacts) -> Ask | Decline:
    """Say what to ask for at this place, or why nothing.

    The settings come first, then the document, then the place, then the model: a reason that the user can
    change is never hidden behind one that passes by itself.
    """
    reason = _off(facts) or _unfit(facts)
    if reason is not None:
        return Decline(reason)
    window, settings = facts.window, facts.settings
    site = survey(window)
    if detail := _nothing_to_complete(facts, site):
        return Decline(DeclineReason.NOTHING_TO_COMPLETE, detail)
    if (reason := _BY_STATE.get(facts.engine_state)) is not None:
        return Decline(reason)
    shape = shape_at(window, settings.multiline, facts.trigger)
    is_line = shape is Shape.LINE
    at_line_start = not window.line_prefix.strip()
    is_invoked = facts.trigger is Trigger.INVOKED
    more = INVOKED_PROMPT_FACTOR if is_invoked else 1
    limits = facts.limits or derive(settings, None)
    return Ask(
        shape=shape,
        lines_max=1 if is_line else settings.block_lines_max,
        decoded_tokens_max=limits.line_tokens_max if is_line else settings.block_tokens_max,
        delay_ms=0 if at_line_start or is_invoked else limits.delay_ms,
        prefix_tokens_max=settings.prefix_tokens_max * more,
        suffix_tokens_max=settings.suffix_tokens_max * more,
        whole=limits.whole if limits.is_measured and not is_invoked else None,
    )


def _off(facts: PolicyFacts) -> DeclineReason | None:
    if not facts.settings.enabled:
        return DeclineReason.DISABLED
    return DeclineReason.LANGUAGE_OFF if facts.window.language in facts.settings.languages_off else None


def _unfit(facts: PolicyFacts) -> DeclineReason | None:
    if facts.document_bytes > facts.settings.document_bytes_max:
        return DeclineReason.DOCUMENT_TOO_LARGE
    if facts.line_chars > facts.settings.line_chars_max:
        return DeclineReason.LINE_TOO_LONG
    is_binary = "\0" in facts.window.prefix or "\0" in facts.window.suffix
    return DeclineReason.NOT_TEXT if is_binary else None


def _nothing_to_complete(facts: PolicyFacts, site: Site) -> str:
    """Say why nothing can be shown here, or give an empty string.

    A cursor inside a word is no reason: the answer joins the rest of the word or covers it. What was asked
    for by a key is only declined where there is nothing to go by.
    """
    window = facts.window
    if not window.prefix.strip() and not window.suffix.strip():
        return "the document is empty"
    if facts.trigger is Trigger.INVOKED:
        return ""
    if site.spot is Spot.ABOVE_LINE:
        return "only whitespace before the code on this line"
    if site.spot is Spot.LINE_END and site.inside.in_code and site.facts.family is Family.BRACKETS:
        if _STATEMENT_ENDED.search(window.line_prefix):
            return "the statement has ended"
        if _has_body(window, site):
            return "the block is written already"
    if site.spot is Spot.LINE_END and site.facts.family is Family.INDENTATION and _has_body(window, site):
        return "the block is written already"
    return ""


def shape_at(window: CursorWindow, multiline: str = "auto", trigger: Trigger = Trigger.AUTOMATIC) -> Shape:
    """Say whether the place calls for the rest of a line or for a block.

    Code behind the cursor on its line always makes it a line: a block would be drawn over it.
    `multiline` is the setting: `never` and `always` decide wherever that rule does not.
    """
    site = survey(window)
    if multiline == "never" or site.spot is Spot.MID_LINE:
        return Shape.LINE
    if site.spot is Spot.BEFORE_CLOSERS:
        return Shape.BLOCK if multiline == "always" or _between_pair(window) else Shape.LINE
    if multiline == "always":
        return Shape.BLOCK
    if not site.inside.in_code or site.spot is Spot.ABOVE_LINE:
        return Shape.LINE
    if site.spot is Spot.LINE_END:
        waits = opens_block(window.line_prefix, site.facts) or trigger is Trigger.INVOKED
        return Shape.BLOCK if waits and not _has_body(window, site) else Shape.LINE
    return _shape_on_own_line(site)


def _shape_on_own_line(site: Site) -> Shape:
    """Decide for an empty line: a block where one starts or ends, a line between two statements."""
    if not site.below:
        return Shape.BLOCK
    if site.below_indent > site.indent and not site.opens_block:
        return Shape.LINE  # what is below belongs to the line that is being written
    starts_block = site.opens_block and site.below_indent <= site.above_indent
    if starts_block or site.comment_above:
        return Shape.BLOCK
    if site.opens_block or (site.below_is_next and site.below_indent >= site.indent):
        return Shape.LINE
    return Shape.BLOCK


def _between_pair(window: CursorWindow) -> bool:
    """Say whether the cursor stands in an empty pair of brackets of a block, as editors close it."""
    return window.line_prefix.rstrip().endswith("{") and window.line_suffix.lstrip().startswith("}")


def _has_body(window: CursorWindow, site: Site) -> bool:
    """Say whether the block that the cursor's line opens is there already."""
    return opens_block(window.line_prefix, site.facts) and bool(site.below) and site.below_indent > site.above_indent
