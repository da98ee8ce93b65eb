"""Explain the selection in prose. Changes nothing."""

from __future__ import annotations

from fimble.actions.chat import Ask
from fimble.actions.outcome import ActionRefusedError, Draft, Refusal
from fimble.actions.phrase import definition_text, fenced, prose_rule, surroundings
from fimble.actions.place import Place
from fimble.actions.plan import Action, Offer, Plan, Wish
from fimble.actions.syntax import Span


def stretch(place: Place) -> Span | None:
    """Give what is meant: the selected lines, else the definition at the cursor."""
    if place.selected.strip():
        return place.lines
    return place.definition.span if place.definition is not None else None


def offer(place: Place) -> Offer | None:
    if stretch(place) is None:
        return None
    named = not place.selected.strip() and place.definition is not None
    title = f"Explain `{place.definition.name}`" if named and place.definition else "Explain the selection"
    return Offer(ACTION.name, title, ACTION.kind)


def plan(place: Place, wish: Wish) -> Plan:
    span = stretch(place)
    if span is None:
        raise ActionRefusedError(Refusal.NOT_HERE, "there is nothing to explain here", "select some code")
    whole = place.definition is not None and place.definition.span == span
    code = (
        definition_text(place, place.definition)
        if whole and place.definition
        else place.text[span.start_offset : span.end_offset]
    )
    wishes = f" {wish.instruction.strip()}" if wish.instruction.strip() else ""
    rule = prose_rule(code + wishes, wish.locale)
    user = (
        f"{{context}}Explain briefly what this {place.facts.title} code does and how.{wishes}{rule}\n\n"
        f"{fenced(code, place.facts)}\n"
    )
    context = surroundings(place, span.start_offset, span.end_offset, code)
    return Plan(Ask(user, context=context), read=_read, fenced=False, verified=False)


def _read(text: str) -> Draft:
    if not text.strip():
        raise ActionRefusedError(Refusal.EMPTY_ANSWER, "the model gave no answer")
    return Draft(markdown=text.strip() + "\n")


ACTION = Action("explain", "Explain it", "source.fimble.explain", "document", offer, plan)
