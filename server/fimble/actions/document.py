"""Write the documentation of a function or class in the convention of its language. Code stays as it is."""

from __future__ import annotations

import re
import textwrap

from fimble.actions import fit
from fimble.actions.answer import take_apart
from fimble.actions.chat import Ask
from fimble.actions.outcome import ActionRefusedError, Draft, Edit, Refusal
from fimble.actions.phrase import core_text, fenced, prose_rule, surroundings
from fimble.actions.place import Place
from fimble.actions.plan import Action, Offer, Plan, Wish
from fimble.actions.syntax import Definition, Span, parse

WIDTH_COLUMNS = 88
LINES_MAX = 40
_COMMENT_MARK = re.compile(r"^\s*(?:///?!?|/\*+|\*+/|\*|#+)? ?")
_PLEASANTRY = re.compile(r"^(?:sure|certainly|of course|here(?:'s| is)|好的|当然)[^\n]*[::!！。]\s*\n", re.IGNORECASE)


def offer(place: Place) -> Offer | None:
    definition = place.definition
    if definition is None or not definition.name or not place.facts.doc or place.is_stub(definition):
        return None
    return Offer(ACTION.name, f"Document `{definition.name}`", ACTION.kind)


def plan(place: Place, wish: Wish) -> Plan:
    definition = place.definition
    if definition is None or not place.facts.doc:
        raise ActionRefusedError(
            Refusal.NOT_HERE, "there is no function or class at this place", "put the cursor into one"
        )
    facts = place.facts
    shown = core_text(place, definition)
    wishes = f" {wish.instruction.strip()}" if wish.instruction.strip() else ""
    what = {"docstring": "docstring"}.get(facts.doc, "documentation comment")
    rule = prose_rule(shown + wishes, wish.locale)
    user = (
        f"{{context}}Write the {what} of the {facts.title} {definition.kind} `{definition.name}` below: "
        f"one sentence on what it does, then its parameters and what it returns.{wishes} "
        f"Answer with the text alone, without code.{rule}\n\n{fenced(shown, facts)}\n"
    )
    context = surroundings(place, definition.span.start_offset, definition.span.end_offset, shown)
    return Plan(Ask(user, context=context), read=lambda text: _draft(place, definition, text), fenced=False)


def _draft(place: Place, definition: Definition, text: str) -> Draft:
    lines = _doc_lines(text, place)
    if not lines:
        raise ActionRefusedError(Refusal.EMPTY_ANSWER, "the model wrote no documentation")
    edit = _docstring(place, definition, lines) if place.facts.doc == "docstring" else _above(place, definition, lines)
    return Draft(edits=(edit,))


def _doc_lines(text: str, place: Place) -> list[str]:
    """Give the documentation's lines out of prose, or out of the comment or docstring in a block of code."""
    answer = take_apart(_PLEASANTRY.sub("", text.strip()))
    said = answer.prose
    for block in answer.blocks:
        found = _comment_in(block.text, place)
        if found:
            said = found
            break
        if not said:
            said = block.text if not _is_code(block.text, place) else ""
    said = said.strip().strip("\"'`").strip()
    said = said.replace('"""', "'''").replace("*/", "* /").replace("/*", "/ *")
    lines: list[str] = []
    for line in said.splitlines()[:LINES_MAX]:
        hang = line[: len(line) - len(line.lstrip())]
        body = line.strip().replace("\\", "\\\\") if place.facts.doc == "docstring" else line.strip()
        lines += textwrap.wrap(body, WIDTH_COLUMNS - len(hang), initial_indent=hang, subsequent_indent=hang) or [""]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _comment_in(code: str, place: Place) -> str:
    """Give the text of the first docstring or comment block of a piece of code."""
    syntax = parse(code, place.document.language)
    if syntax is None:
        return ""
    if place.facts.doc == "docstring":
        spans = [s for d in syntax.definitions if (s := syntax.docstring(d)) is not None]
        bare = [s for s in syntax.strings if not syntax.text[: s.start_offset].strip()]
        for span in (*spans, *bare):
            inner = code[span.start_offset : span.end_offset].lstrip("rRuUbBfF").strip("\"'")
            return textwrap.dedent(inner if inner.startswith("\n") else " " * 4 + inner.lstrip()).strip()
        return ""
    lines: list[str] = []
    for span in syntax.comments:
        if lines and syntax.text[: span.start_offset].rstrip().endswith(("}", ";", "{")):
            break
        lines += [_COMMENT_MARK.sub("", line) for line in code[span.start_offset : span.end_offset].splitlines()]
    return "\n".join(line.removesuffix("*/").rstrip() for line in lines).strip()


def _is_code(text: str, place: Place) -> bool:
    syntax = parse(text, place.document.language)
    return syntax is not None and bool(syntax.definitions)


def _docstring(place: Place, definition: Definition, lines: list[str]) -> Edit:
    assert definition.body is not None and place.syntax is not None
    body = definition.body
    existing = place.syntax.docstring(definition)
    own_line = place.line_start(body.start_offset) > definition.core.start_offset
    outer = place.indent_at(definition.core.start_offset)
    indent = place.indent_at(body.start_offset) if own_line else outer + place.indent_unit
    if len(lines) == 1:
        text = f'"""{_no_end_quote(lines[0])}"""'
    else:
        text = "\n".join([f'"""{lines[0]}', *((indent + line).rstrip() for line in lines[1:]), f'{indent}"""'])
    end_of_line = place.document.end_of_line
    if existing is not None:
        return Edit(existing.start_offset, existing.end_offset, fit.with_line_ends(text, end_of_line))
    if own_line:
        start = place.line_start(body.start_offset)
        return Edit(start, start, fit.with_line_ends(f"{indent}{text}\n", end_of_line))
    # `def f(): return 1`: the body moves to a line of its own.
    header_end = definition.core.start_offset + len(definition.header)
    return Edit(header_end, body.start_offset, fit.with_line_ends(f"\n{indent}{text}\n{indent}", end_of_line))


def _no_end_quote(line: str) -> str:
    return line + " " if line.endswith(('"', "\\")) else line


def _above(place: Place, definition: Definition, lines: list[str]) -> Edit:
    start = place.line_start(definition.span.start_offset)
    indent = place.indent_at(definition.span.start_offset)
    marker = place.facts.doc
    if marker == "block":
        rows = ["/**", *(f" * {line}".rstrip() for line in lines), " */"]
    else:
        if place.facts.language == "go" and not lines[0].startswith(definition.name):
            lines = [f"{definition.name}: {lines[0]}", *lines[1:]]
        rows = [f"{marker} {line}".rstrip() for line in lines]
    text = "".join(f"{indent}{row}\n" for row in rows)
    old = _old_comment(place, start)
    return Edit(old.start_offset, old.end_offset, fit.with_line_ends(text, place.document.end_of_line))


def _old_comment(place: Place, start: int) -> Span:
    """Give the lines of a documentation comment that stands directly above, or an empty span at `start`."""
    assert place.syntax is not None
    first = start
    for comment in reversed(place.syntax.comments):
        between = place.text[comment.end_offset : first]
        if comment.end_offset > first or between.strip() or between.replace("\r\n", "\n").count("\n") > 1:
            continue
        text = place.text[comment.start_offset : comment.end_offset]
        is_doc = text.startswith("/**") if place.facts.doc == "block" else text.startswith(place.facts.doc)
        alone = not place.text[place.line_start(comment.start_offset) : comment.start_offset].strip()
        if not is_doc or not alone:
            break
        first = place.line_start(comment.start_offset)
    return Span(first, start)


ACTION = Action("document", "Write the documentation", "refactor.rewrite.fimble.document", "edit", offer, plan)
