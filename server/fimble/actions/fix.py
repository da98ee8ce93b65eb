"""Fix a reported problem, or what is wrong in the selected function."""

from __future__ import annotations

from fimble.actions.lines import plan_lines
from fimble.actions.outcome import ActionRefusedError, Refusal
from fimble.actions.place import Place, Problem
from fimble.actions.plan import Action, Offer, Plan, Wish
from fimble.actions.syntax import Definition, Span
from fimble.actions.whole_function import plan_rewrite

MESSAGE_CHARS_MAX = 400
TITLE_CHARS_MAX = 60


def _problem(place: Place) -> Problem | None:
    lines = place.lines
    return next(
        (p for p in place.problems if p.start_offset <= lines.end_offset and lines.start_offset <= p.end_offset), None
    )


def offer(place: Place) -> Offer | None:
    problem = _problem(place)
    if problem is not None:
        message = " ".join(problem.message.split())
        short = message if len(message) <= TITLE_CHARS_MAX else message[: TITLE_CHARS_MAX - 1] + "…"
        return Offer(ACTION.name, f"Fix: {short}", "quickfix.fimble")
    function = place.function
    if function is None or function.body is None or place.is_stub(function) or not place.selected.strip():
        return None
    return Offer(ACTION.name, f"Fix `{function.name}`", ACTION.kind)


def plan(place: Place, wish: Wish) -> Plan:
    problem = _problem(place)
    function = place.function
    if function is not None and function.body is not None:
        return _plan_function(place, function, problem, wish)
    if problem is None and not place.selected.strip():
        raise ActionRefusedError(
            Refusal.NOT_HERE, "there is no problem reported here and no function", "select what is wrong"
        )
    span = _statement(place)
    said = _said(place, problem)
    return plan_lines(place, span, f"Fix this {place.facts.title} code{said}{_more(wish)}")


def _plan_function(place: Place, function: Definition, problem: Problem | None, wish: Wish) -> Plan:
    title = place.facts.title
    if problem is None:
        sentence = f"The {title} function `{function.name}` below has a bug. Fix it"
    else:
        sentence = f"Fix the {title} function `{function.name}` below{_said(place, problem)}"
    # Asked for code alone, the 0.5B model copies the function as it is: saying what is wrong comes first.
    return plan_rewrite(place, function, sentence, wish, reasoned=True)


def _said(place: Place, problem: Problem | None) -> str:
    if problem is None:
        return ""
    line = place.text[place.line_start(problem.start_offset) : place.line_end(problem.start_offset)].strip()
    message = " ".join(problem.message.split())[:MESSAGE_CHARS_MAX]
    source = f" ({problem.source})" if problem.source else ""
    return f". The problem in the line `{line[:MESSAGE_CHARS_MAX]}` is: {message}{source}"


def _more(wish: Wish) -> str:
    return f". {wish.instruction.strip()}" if wish.instruction.strip() else ""


def _statement(place: Place) -> Span:
    """Give the lines selected, or of the whole statement that holds them."""
    lines = place.lines
    if place.syntax is not None and not place.selected.strip():
        for top in place.syntax.top_level:
            if top.start_offset <= place.start_offset <= top.end_offset:
                return Span(place.line_start(top.start_offset), place.line_end(top.end_offset))
    return lines


ACTION = Action("fix", "Fix the problem", "quickfix.fimble", "edit", offer, plan)
