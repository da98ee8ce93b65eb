"""Change the selection as the user's own words say: given with the command, or in a `fimble:` comment above."""

from __future__ import annotations

from fimble.actions.lines import plan_lines
from fimble.actions.outcome import ActionRefusedError, Refusal
from fimble.actions.place import Place
from fimble.actions.plan import Action, Offer, Plan, Wish
from fimble.actions.syntax import Definition, Span
from fimble.actions.whole_function import plan_rewrite

TITLE_CHARS_MAX = 50


def _marked(place: Place) -> tuple[str, Definition] | None:
    """Give what a marked comment asks of the definition below it."""
    comment = place.comment
    if comment is None or not comment.marked or not comment.request:
        return None
    below = place.definition_below(comment.end_offset)
    return (comment.request, below) if below is not None and not place.is_stub(below) else None


def offer(place: Place) -> Offer | None:
    marked = _marked(place)
    if marked is None:
        return None  # without words there is nothing to offer; clients ask for them and send the command
    words = " ".join(marked[0].split())
    short = words if len(words) <= TITLE_CHARS_MAX else words[: TITLE_CHARS_MAX - 1] + "…"
    return Offer(ACTION.name, f"Change `{marked[1].name}`: {short}", ACTION.kind, preferred=True)


def plan(place: Place, wish: Wish) -> Plan:
    marked = _marked(place)
    words = wish.instruction.strip() or (marked[0] if marked else "")
    if not words:
        raise ActionRefusedError(
            Refusal.NO_INSTRUCTION, "say what to change", "pass it with `--instruction`, or the editor's own command"
        )
    silent = Wish(wish.workspace, "", wish.locale)
    target = marked[1] if marked else _whole_definition(place)
    if target is not None:
        sentence = f"Change the {place.facts.title} code below: {words.rstrip('.。')}"
        return plan_rewrite(place, target, sentence, silent, keeps_parameters=False)
    span = place.lines
    if not place.text[span.start_offset : span.end_offset].strip():
        raise ActionRefusedError(Refusal.NOT_HERE, "there is nothing to change here", "select some code")
    return plan_lines(place, span, f"Change the {place.facts.title} code below: {words.rstrip('.。')}")


def _whole_definition(place: Place) -> Definition | None:
    """Give the definition that the selection means: all of it is selected, or the cursor stands in it."""
    definition = place.definition
    if definition is None or definition.body is None:
        return None
    if not place.selected.strip():
        return definition
    lines, own = place.lines, definition.span
    return (
        definition if _covers(lines, Span(place.line_start(own.start_offset), place.line_end(own.end_offset))) else None
    )


def _covers(outer: Span, inner: Span) -> bool:
    return outer.start_offset <= inner.start_offset and inner.end_offset <= outer.end_offset


ACTION = Action("edit", "Change it as you say", "refactor.rewrite.fimble.edit", "edit", offer, plan)
