"""Turn the code of an answer into edits of the place. Edits are as small as can be; nothing is verified here."""

from __future__ import annotations

import re

from fimble.actions import fit, imports
from fimble.actions.comment import CommentBlock
from fimble.actions.outcome import ActionRefusedError, Draft, Edit, Refusal
from fimble.actions.place import Place
from fimble.actions.syntax import Definition, Span, Syntax, parse

_CLASS_LANGUAGES = ("javascript", "typescript", "typescriptreact", "java", "cpp")


def find(code: str, name: str, language: str) -> tuple[Syntax, Definition]:
    """Find the definition of `name` in an answer; a bare method is read as one of a class.

    Errors: ActionRefusedError with `NAME_MISSING`.
    """
    texts = [code, f"class Holder {{\n{code}\n}}"] if language in _CLASS_LANGUAGES else [code]
    for text in texts:
        syntax = parse(text, language)
        found = [d for d in syntax.definitions if d.name == name] if syntax else []
        with_body = [d for d in found if d.body is not None]
        if syntax is not None and found:
            return syntax, (with_body or found)[-1]
    raise ActionRefusedError(Refusal.NAME_MISSING, f"the model's answer does not define `{name}`")


def replace_definition(place: Place, target: Definition, code: str) -> Draft:
    """Put the answer's version of `target` in its place: decorators, attributes and `export` stay."""
    syntax, found = find(code, target.name, place.facts.language)
    new = syntax.text[found.core.start_offset : found.core.end_offset]
    indent = place.indent_at(target.core.start_offset)
    shown = fit.line_of(syntax.text, found.core.start_offset)
    shown_indent = syntax.text[shown.start_offset : found.core.start_offset]
    shown_indent = shown_indent[: len(shown_indent) - len(shown_indent.lstrip(" \t"))]
    fitted = fit.reindent(shown_indent + new, place.facts.language, indent, place.unit_for(new), shown_indent)
    edit = _edit(place, target.core, fitted[len(indent) :])
    return _draft(place, syntax, new, edit, target, found)


def fill_body(place: Place, target: Definition, code: str) -> Draft:
    """Write the answer's body into a stub; header, docstring and comments of the user's stay."""
    syntax, found = find(code, target.name, place.facts.language)
    if found.body is None or found.body.start_offset == found.body.end_offset:
        raise ActionRefusedError(Refusal.PLACEHOLDER, f"the model left the body of `{target.name}` empty")
    body = _body_lines(syntax, found)
    assert target.body is not None and place.syntax is not None
    outer = place.indent_at(target.core.start_offset)
    if not body.strip():
        raise ActionRefusedError(Refusal.PLACEHOLDER, f"the model left the body of `{target.name}` empty")
    unit = place.unit_for(code)
    inner = _stub_indent(place, target) or outer + unit
    fitted = fit.reindent(body, place.facts.language, inner, unit)
    if place.facts.has_blocks:
        kept = _after_trivia(place.syntax, target.body.start_offset + 1)
        span = Span(
            kept if kept > target.body.start_offset + 1 else target.body.start_offset + 1, target.body.end_offset
        )
        edit = _edit(place, span, "\n" + fitted + "\n" + outer + "}")
    else:
        header_end = target.core.start_offset + len(target.header)
        docstring = place.syntax.docstring(target)
        kept = _after_trivia(place.syntax, docstring.end_offset if docstring else header_end)
        edit = _edit(place, Span(kept, max(kept, target.body.end_offset)), "\n" + fitted)
    return _draft(place, syntax, body, edit, target, found)


def insert_below(place: Place, comment: CommentBlock, code: str) -> Draft:
    """Put the code an answer defines below the comment that asked for it."""
    language = place.facts.language
    syntax = parse(code, language)
    if syntax is None:
        return Draft(
            edits=(_below(place, comment, fit.reindent(code, language, comment.indent, place.unit_for(code))),)
        )
    enclosing = next((d for d in place.syntax.definitions if _holds(d, comment)), None) if place.syntax else None
    chosen = _wanted_spans(syntax, comment, in_class=enclosing is not None and enclosing.kind == "class")
    new = "\n\n".join(_whole_lines(syntax.text, span) for span in chosen).strip("\n")
    if not new.strip():
        raise ActionRefusedError(Refusal.NO_CODE, "the model's answer holds no code")
    edit = _below(place, comment, fit.reindent(new, language, comment.indent, place.unit_for(new)))
    promised = tuple(
        d.name for d in syntax.definitions if any(s.start_offset <= d.span.start_offset < s.end_offset for s in chosen)
    )
    more = imports.insertion(place, imports.wanted(syntax, new, place), comment.start_offset)
    return Draft(edits=(*([more] if more else []), edit), promised=promised[:1])


def _draft(place: Place, syntax: Syntax, new: str, edit: Edit, target: Definition, found: Definition) -> Draft:
    """Add what the new code needs beside itself: imports, and functions of the answer that it calls."""
    assert place.syntax is not None
    known = {d.name for d in place.syntax.definitions}
    used = set(re.findall(r"\w+", new))
    top = min(
        (d for d in place.syntax.definitions if d.span.start_offset <= target.span.start_offset < d.span.end_offset),
        key=lambda d: d.n_outer,
    )
    n_blank = 2 if place.facts.language == "python" else 1
    pieces: list[str] = []
    for other in syntax.definitions:
        if other.n_outer == 0 and other.name in used - known and not _holds(other, found.core):
            text = _whole_lines(syntax.text, other.span)
            new += "\n" + text
            pieces.append(fit.reindent(text, place.facts.language, "", place.indent_unit) + "\n" * (1 + n_blank))
    edits: list[Edit] = []
    head = place.line_start(top.span.start_offset)
    added = imports.insertion(place, imports.wanted(syntax, new, place), head)
    edits.extend([added] if added else [])
    if pieces:
        edits.append(Edit(head, head, fit.with_line_ends("".join(pieces), place.document.end_of_line)))
    return Draft(edits=(*edits, edit), promised=(target.name,), parameters=found.parameters)


def _body_lines(syntax: Syntax, found: Definition) -> str:
    """Give the statements of a body, without braces and docstring, as whole lines."""
    assert found.body is not None
    start, end = found.body.start_offset, found.body.end_offset
    text = syntax.text
    if syntax.facts.has_blocks:
        if text[start] != "{":
            return f"return {text[start:end]};"  # an arrow function's expression
        return text[start + 1 : end - 1].strip("\n").rstrip()
    docstring = syntax.docstring(found)
    if docstring is not None:
        start = docstring.end_offset
        # A model that was given the docstring may write it again.
        for string in syntax.strings:
            alone = not text[start : string.start_offset].strip() and not fit.rest_of_line(text, string.end_offset)
            if start < string.start_offset and string.end_offset < end and alone:
                start = string.end_offset
        return text[start:end].strip("\n").rstrip()
    # A comment before the first statement belongs to the body, though the grammar puts it before.
    header_end = found.core.start_offset + len(found.header)
    return text[header_end:end].strip("\n").rstrip() if "\n" in text[header_end:start] else text[start:end]


def _stub_indent(place: Place, target: Definition) -> str:
    """Give the indentation of what already stands in the stub, empty where nothing does."""
    assert target.body is not None
    start = target.body.start_offset
    own_line = place.line_start(start) > target.core.start_offset
    return place.indent_at(start) if own_line and not place.facts.has_blocks and target.body.end_offset > start else ""


def _after_trivia(syntax: Syntax, offset: int) -> int:
    """Give the end of the comments that follow `offset` with nothing but blanks between, or `offset`."""
    kept = offset
    comments = {c.start_offset: c for c in syntax.comments}
    while True:
        rest = syntax.text[kept:]
        at = kept + len(rest) - len(rest.lstrip())
        if at not in comments:
            return kept
        kept = comments[at].end_offset
        # Some grammars count the line end to the comment.
        while syntax.text[kept - 1] in "\r\n":
            kept -= 1


def _wanted_spans(syntax: Syntax, asked: CommentBlock, *, in_class: bool) -> list[Span]:
    """Choose what of an answer is meant: its definitions without a `main` that only shows them, or all statements."""
    outer = [d for d in syntax.definitions if d.n_outer == 0]
    if in_class and len(outer) == 1 and outer[0].kind == "class":
        methods = [d for d in syntax.definitions if d.n_outer == 1]
        outer = methods or outer
    named = [d for d in outer if d.name not in ("main", "Main")] or outer
    if named:
        return [_with_comment(syntax, d.span, asked) for d in named]
    return [
        s
        for s in syntax.top_level
        if s not in syntax.imports and not syntax.text.startswith("package ", s.start_offset)
    ]


def _with_comment(syntax: Syntax, span: Span, asked: CommentBlock) -> Span:
    """Widen to the comment lines directly above, but for those that only repeat what was asked."""
    start = span.start_offset
    for comment in reversed(syntax.comments):
        between = syntax.text[comment.end_offset : start]
        said = re.sub(r"\W+", "", syntax.text[comment.start_offset : comment.end_offset])
        if said and said in re.sub(r"\W+", "", asked.text):
            break
        if comment.end_offset <= start and not between.strip() and between.count("\n") <= 1:
            start = comment.start_offset
    return Span(start, span.end_offset)


def _whole_lines(text: str, span: Span) -> str:
    head = text[text.rfind("\n", 0, span.start_offset) + 1 : span.start_offset]
    return (head if not head.strip() else "") + text[span.start_offset : span.end_offset]


def _below(place: Place, comment: CommentBlock, code: str) -> Edit:
    end_of_line = place.document.end_of_line
    start = end = place.line_end(comment.end_offset)
    text = "\n" + code
    following = place.text[end:].lstrip("\r\n")
    is_last = end == len(place.text)
    line_ends = place.text[end : len(place.text) - len(following)].replace("\r\n", "\n")
    # Code that follows directly gets a blank line; a file that lacks its last line end gets it.
    if is_last or (following.strip() and len(line_ends) < 2 and not following.lstrip().startswith("}")):
        text += "\n"
    return Edit(start, end, fit.with_line_ends(text, end_of_line))


def _holds(definition: Definition, span: Span | CommentBlock) -> bool:
    return definition.span.start_offset <= span.start_offset and span.end_offset <= definition.span.end_offset


def _edit(place: Place, span: Span, text: str) -> Edit:
    return Edit(span.start_offset, span.end_offset, fit.with_line_ends(text, place.document.end_of_line))
