"""Judge a draft before anything is applied: does the changed file parse, keep its promises, mean something?

Pure: looks at texts only. Running examples is in `examples`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from fimble.actions import imports, known_names
from fimble.actions.names import undefined_names
from fimble.actions.outcome import Check, Draft, Edit, FileText, Refusal, apply_edits
from fimble.actions.place import Place, is_placeholder
from fimble.actions.syntax import Definition, Span, Syntax, parse

# A comment, or three dots, where code should be.
_ELISION = re.compile(
    r"^[ \t]*(?:(?://|#|/\*|--|<!--)[ \t]*(?:\.\.\.|…)?|\.\.\.|…)[ \t]*"
    r"(?:(?:add|insert|write|put) your (?:code|implementation|logic)|your (?:code|implementation|logic)"
    r"|(?:the )?rest of (?:the|your) (?:code|function|implementation|file)|(?:existing|remaining|previous) code"
    r"|implementation|省略|此处(?:实现|填写)|其余代码)"
    r"(?:[ \t]+(?:goes|stays|remains|is))?(?:[ \t]+(?:here|unchanged|the same|as before))?[^\w\n]*$",
    re.IGNORECASE | re.MULTILINE,
)


def complete_imports(place: Place, draft: Draft) -> Draft:
    """Add the imports from the standard library that the new code needs and the model forgot."""
    if not draft.edits:
        return draft
    if place.facts.language == "python":
        fresh = undefined_names(apply_edits(place.text, draft.edits)) - undefined_names(place.text)
        statements = known_names.python_imports(fresh)
    else:
        code = "\n".join(e.text for e in draft.edits)
        bound = imports.present(place) | imports.bound_in(code, place.facts.language)
        statements = known_names.imports_for(code, place.facts.language, bound)
    first = min(e.start_offset for e in draft.edits)
    added = imports.insertion(place, statements, max(first, place.line_start(first)))
    return replace(draft, edits=(added, *draft.edits)) if added else draft


def check(place: Place, draft: Draft, *, expects_change: bool = True) -> tuple[Check, ...]:
    """Give every check that applies to the draft, in the order a person would want to hear of them."""
    checks: list[Check] = []
    if draft.edits:
        new = apply_edits(place.text, draft.edits)
        checks += _changed(place, draft, new, expects_change)
        checks += _code_checks(place.text, new, place.document.language, draft.edits)
        after = parse(new, place.document.language)
        if after is not None:
            checks += _promises(place, draft, after)
    for file in draft.files:
        checks += _code_checks(
            file.old_text or "", apply_edits(file.old_text or "", file.edits), file.language, file.edits
        )
        checks += [_has_tests(file)] if file.holds_tests else []
    return tuple(checks)


def _changed(place: Place, draft: Draft, new: str, expects_change: bool) -> list[Check]:
    same = new == place.text or (expects_change and _squeezed(new) == _squeezed(place.text))
    return [Check("changes something", not same, "the answer is what stands there already", Refusal.UNCHANGED)]


def _code_checks(old: str, new: str, language: str, edits: Sequence[Edit]) -> list[Check]:
    elided = next((m for e in edits if (m := _ELISION.search(e.text)) and not _ELISION.search(old)), None)
    checks = [
        Check(
            "is complete",
            elided is None,
            f"a placeholder stands in for code: `{elided.group().strip()[:60]}`" if elided else "",
            Refusal.PLACEHOLDER,
        )
    ]
    before, after = parse(old, language), parse(new, language)
    if after is None:
        return checks
    wrong = _new_error(before, after, new_spans(edits))
    where = f"line {new.count(chr(10), 0, wrong.start_offset) + 1} does not parse" if wrong else ""
    checks.append(Check("parses", wrong is None, where, Refusal.DOES_NOT_PARSE))
    if language == "python":
        fresh = undefined_names(new) - undefined_names(old)
        detail = "not defined: " + ", ".join(f"`{n}`" for n in sorted(fresh)) if fresh else ""
        checks.append(Check("defines its names", not fresh, detail, Refusal.UNDEFINED_NAME))
    return checks


def _new_error(before: Syntax | None, after: Syntax, fresh: Sequence[Span]) -> Span | None:
    """Give the first place that does not parse and is the edit's fault.

    That is one in the new text, or any where there are more of them than before.
    """
    if not after.errors:
        return None
    inside = [
        e for e in after.errors if any(s.start_offset <= e.end_offset and e.start_offset <= s.end_offset for s in fresh)
    ]
    if inside:
        return inside[0]
    return after.errors[0] if len(after.errors) > len(before.errors if before else ()) else None


def new_spans(edits: Sequence[Edit]) -> list[Span]:
    """Give where each edit's text lies in the changed text."""
    spans: list[Span] = []
    shift = 0
    for edit in sorted(edits, key=lambda e: (e.start_offset, e.end_offset)):
        start = edit.start_offset + shift
        spans.append(Span(start, start + len(edit.text)))
        shift += len(edit.text) - (edit.end_offset - edit.start_offset)
    return spans


def _promises(place: Place, draft: Draft, after: Syntax) -> list[Check]:
    checks: list[Check] = []
    fresh = new_spans(draft.edits)
    for name in draft.promised:
        found = [d for d in after.definitions if d.name == name and _touches(d, fresh)]
        checks.append(Check(f"defines `{name}`", bool(found), f"`{name}` is not defined", Refusal.NAME_MISSING))
        for definition in found[:1]:
            empty = definition.kind == "function" and definition.body is not None and is_placeholder(after, definition)
            checks.append(Check("has a body", not empty, f"the body of `{name}` is a placeholder", Refusal.PLACEHOLDER))
    if draft.parameters is not None and place.syntax is not None and draft.promised:
        old = _old_definition(place, draft)
        if old is not None:
            kept = parameter_names(old.parameters, place.facts.language) == parameter_names(
                draft.parameters, place.facts.language
            )
            detail = f"the parameters of `{old.name}` became `{' '.join(draft.parameters.split())[:80]}`"
            checks.append(Check("keeps the signature", kept, detail, Refusal.SIGNATURE_CHANGED))
    return checks


def _old_definition(place: Place, draft: Draft) -> Definition | None:
    assert place.syntax is not None
    touched = [
        d
        for d in place.syntax.definitions
        if d.name == draft.promised[0]
        and any(d.span.start_offset <= e.start_offset <= e.end_offset <= d.span.end_offset for e in draft.edits)
    ]
    return touched[-1] if touched else None


def _touches(definition: Definition, spans: Sequence[Span]) -> bool:
    start, end = definition.span.start_offset, definition.span.end_offset
    return any(s.start_offset <= end and start <= s.end_offset for s in spans)


def parameter_names(parameters: str, language: str) -> list[str]:
    """Give the names in a parameter list; types, defaults and modifiers do not count."""
    inner = parameters.strip()
    inner = inner[1:-1] if inner.startswith("(") and inner.endswith(")") else inner
    names: list[str] = []
    for part in _split_top_level(inner):
        declared = part.split("=", 1)[0].strip()
        if language in ("c", "cpp", "java"):
            found = re.findall(r"[A-Za-z_]\w*", re.sub(r"\[[^\]]*\]", "", declared))
            names += found[-1:]
        else:
            head = declared.split(":", 1)[0]
            found = re.findall(r"[\w$*]+", head.replace("mut ", "").replace("ref ", ""))
            names += [found[0].lstrip("*") or found[0]] if found else [declared] if declared else []
    return [n for n in names if n != "void"]


def _split_top_level(text: str) -> list[str]:
    parts, depth, here = [], 0, ""
    for character in text:
        depth += (character in "([{<") - (character in ")]}>")
        if character == "," and depth <= 0:
            parts.append(here)
            here = ""
        else:
            here += character
    return [p for p in (*parts, here) if p.strip()]


_TEST = {
    "python": re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+test_?\w*[ \t]*\(", re.MULTILINE),
    "go": re.compile(r"^func[ \t]+Test\w*[ \t]*\(", re.MULTILINE),
    "rust": re.compile(r"#\[(?:\w+::)?test\]"),
    "java": re.compile(r"@Test\b"),
}
_JS_TEST = re.compile(r"\b(?:test|it)\s*\(")


def _has_tests(file: FileText) -> Check:
    pattern = _TEST.get(file.language, _JS_TEST)
    found = any(pattern.search(e.text) for e in file.edits)
    return Check("holds a test", found, "the answer holds no test", Refusal.NO_TESTS)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)
