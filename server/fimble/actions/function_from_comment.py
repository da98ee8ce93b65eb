"""Write the function that a comment, a docstring or an empty body asks for."""

from __future__ import annotations

from fimble.actions import rewrite
from fimble.actions.answer import code_of
from fimble.actions.chat import Ask, Infill
from fimble.actions.comment import CommentBlock
from fimble.actions.outcome import ActionRefusedError, Draft, Refusal
from fimble.actions.phrase import core_text, fenced, header_text, opening, surroundings
from fimble.actions.place import Place, asks_something
from fimble.actions.plan import Action, Offer, Plan, Wish
from fimble.actions.syntax import Definition
from fimble.text.line_index import to_lf


def _target(place: Place) -> tuple[CommentBlock | None, Definition | None]:
    """Give the stub to fill, or the comment to write below of; neither where nothing is asked."""
    if place.function is not None and place.is_stub(place.function):
        return None, place.function
    comment = place.comment
    if comment is None:
        return None, None
    below = place.definition_below(comment.end_offset)
    if below is not None and place.is_stub(below):
        return comment, below
    if below is not None:
        return None, None  # the comment speaks of what is there already
    return (comment, None) if comment.marked or asks_something(comment.request) else (None, None)


def offer(place: Place) -> Offer | None:
    comment, stub = _target(place)
    if comment is None and stub is None:
        return None
    title = f"Write the body of `{stub.name}`" if stub else "Write the code this comment asks for"
    return Offer(ACTION.name, title, ACTION.kind, preferred=comment is not None)


def plan(place: Place, wish: Wish) -> Plan:
    comment, stub = _target(place)
    if stub is not None:
        return _plan_stub(place, stub, comment, wish)
    if comment is None:
        if place.comment is not None:
            raise ActionRefusedError(
                Refusal.NOTHING_ASKED,
                "the comment does not say what to write, or the code is there already",
                "say what the code takes and gives",
            )
        raise ActionRefusedError(
            Refusal.NOT_HERE, "there is no comment and no empty function here", "put the cursor on one"
        )
    if not comment.request:
        raise ActionRefusedError(Refusal.NOTHING_ASKED, "the comment is empty", "say what the code takes and gives")
    return _plan_comment(place, comment, wish)


def _plan_stub(place: Place, stub: Definition, comment: CommentBlock | None, wish: Wish) -> Plan:
    facts = place.facts
    shown = core_text(place, stub)
    said = to_lf(place.text[comment.start_offset : comment.end_offset]).strip() + "\n" if comment else ""
    if not facts.has_blocks and place.syntax is not None:
        # A body of `pass` would teach the model to answer with it.
        docstring = place.syntax.docstring(stub)
        end = docstring.end_offset if docstring else stub.core.start_offset + len(stub.header)
        indent = place.indent_at(stub.core.start_offset)
        lines = to_lf(place.text[stub.core.start_offset : end]).split("\n")
        shown = "\n".join(line.removeprefix(indent) for line in lines)
    wishes = f" {wish.instruction.strip()}" if wish.instruction.strip() else ""
    # Laid out as the published scores of instruct models were taken (EvalPlus): a problem to solve, and an answer
    # that has begun by saying that it does.
    user = (
        f"{{context}}Write a self-contained {facts.title} function `{stub.name}` that solves this problem.{wishes} "
        f"Give it whole, in one Markdown code block.\n\n{fenced(said + shown, facts)}\n"
    )
    start = shown + "\n" if not facts.has_blocks else header_text(stub, facts)
    lead = f"This {facts.title} function solves the problem and passes its tests:\n\n"
    context = surroundings(place, stub.span.start_offset, stub.span.end_offset, shown + said)
    ask = Ask(user, lead + opening(facts, said + start), context)
    # Up to where the body begins, with the brace that the model would otherwise have to write.
    docstring = place.syntax.docstring(stub) if place.syntax is not None else None
    head_offset = docstring.end_offset if docstring else stub.core.start_offset + len(stub.header)
    opened, closed = (" {", "\n}") if facts.has_blocks else ("", "")
    infill = Infill(place.text[:head_offset] + opened, closed + place.text[stub.core.end_offset :])
    return Plan(
        ask,
        read=lambda text: rewrite.fill_body(place, stub, code_of(text, facts, stub.name)),
        infill=infill,
        read_infill=lambda text: rewrite.fill_body(place, stub, start + text.rstrip() + closed),
        examples_of=shown + "\n" + said,
    )


def _plan_comment(place: Place, comment: CommentBlock, wish: Wish) -> Plan:
    facts = place.facts
    asked = "\n".join(f"{facts.line_comment} {line}" for line in comment.request.splitlines())
    wishes = f" {wish.instruction.strip()}" if wish.instruction.strip() else ""
    user = (
        f"{{context}}Write the {facts.title} code that this comment asks for.{wishes} "
        f"Answer with the code alone, in one code block, without examples of its use.\n\n{fenced(asked, facts)}\n"
    )
    context = surroundings(place, comment.start_offset, comment.end_offset, comment.text)

    def read(text: str) -> Draft:
        code = code_of(text, facts)
        # The comment stands in the file already; models like to say it again.
        return rewrite.insert_below(place, comment, code.removeprefix(asked).lstrip("\n"))

    return Plan(
        # Not the comment too: after it, in English, the 0.5B model takes the block for finished.
        Ask(user, opening(facts), context),
        read=read,
        infill=Infill(place.text[: comment.end_offset] + "\n", place.text[comment.end_offset :]),
        read_infill=lambda text: rewrite.insert_below(place, comment, text),
        examples_of=comment.text,
    )


ACTION = Action(
    "function",
    "Write what the comment asks for",
    "refactor.rewrite.fimble.function",
    "edit",
    offer,
    plan,
    needs_chat=False,
)
