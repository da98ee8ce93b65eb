"""Add the imports that new code needs, once, where the file keeps them. Removes and reorders nothing."""

from __future__ import annotations

import re

from fimble.actions.outcome import Edit
from fimble.actions.place import Place
from fimble.actions.syntax import Syntax, parse

_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
_PREAMBLE = {
    "python": re.compile(r"(?:#[^\n]*\n|[ \t]*\n)*(?:(?:'''[\s\S]*?'''|\"\"\"[\s\S]*?\"\"\")[ \t]*(?:\n|$))?"),
    "go": re.compile(r"(?:(?://[^\n]*)?\n)*package[ \t]+\w+[^\n]*(?:\n|$)"),
    "java": re.compile(r"(?:(?://[^\n]*|/\*[\s\S]*?\*/)?\s*\n)*package[ \t]+[\w.]+;[^\n]*(?:\n|$)"),
    "rust": re.compile(r"(?:(?://!?[^\n]*|#!\[[^\n]*\])?\n)*"),
    "javascript": re.compile(r"(?:#![^\n]*\n)?(?:['\"]use strict['\"];?[^\n]*\n)?"),
}


def wanted(answer: Syntax, code: str, place: Place) -> list[str]:
    """Give the imports of `answer` that `code` uses and the place's document has not, one statement each."""
    present = {_squeezed(statement) for statement in _statements(place.syntax)}
    bound = {name for statement in _statements(place.syntax) for name in bound_names(statement, place.facts.language)}
    used = set(_IDENTIFIER.findall(code))
    found: list[str] = []
    for statement in _statements(answer):
        names = bound_names(statement, place.facts.language)
        needed = not names or (names & used and not names & used <= bound)
        if needed and _squeezed(statement) not in present and statement not in found:
            found.append(statement)
    return found


def present(place: Place) -> set[str]:
    """Give the names that the file binds: by imports and definitions; of `java.util.*` the package."""
    statements = _statements(place.syntax)
    names = {name for statement in statements for name in bound_names(statement, place.facts.language)}
    # `java.util.*` binds what the tables know of it.
    stars = {s.rstrip("; ").removesuffix(".*").split()[-1] for s in statements if s.rstrip("; ").endswith(".*")}
    return names | stars | {d.name for d in (place.syntax.definitions if place.syntax else ())}


def bound_in(code: str, language: str) -> set[str]:
    """Give the names that imports and definitions within `code` bind."""
    syntax = parse(code, language)
    if syntax is None:
        return set()
    names = {name for statement in _statements(syntax) for name in bound_names(statement, language)}
    return names | {d.name for d in syntax.definitions}


def insertion(place: Place, statements: list[str], before_offset: int) -> Edit | None:
    """Give the edit that adds `statements` after the imports at the head of the file, or after its preamble.

    It lies before `before_offset`; an import further down is not where the file keeps its imports.
    """
    if not statements:
        return None
    end_of_line = place.document.end_of_line
    existing = [s for s in (place.syntax.imports if place.syntax else ()) if s.end_offset <= before_offset]
    text = end_of_line.join(statements)
    if existing:
        last = max(s.end_offset for s in existing)
        if place.text[last - 1] in "\r\n":
            return Edit(last, last, text + end_of_line)
        offset = place.line_end(last)
        return Edit(offset, offset, end_of_line + text)
    offset = _preamble_end(place, before_offset)
    if offset and place.text[offset - 1] not in "\r\n":
        text = end_of_line + text
    after = place.text[offset : offset + 2]
    n_blank = 0 if after[:1] in "\r\n" and after else 2 if place.facts.language == "python" else 1
    if place.facts.language in ("go", "java") and offset:
        text = end_of_line + text
    return Edit(offset, offset, text + end_of_line * (1 + n_blank))


def bound_names(statement: str, language: str) -> set[str]:
    """Give the names an import binds; empty where that cannot be told (`#include`, `*`)."""
    text = " ".join(statement.split())
    if language == "python":
        clause = text.partition(" import ")[2] if text.startswith("from ") else text.removeprefix("import ")
        parts = [p.strip(" ()") for p in clause.split(",")]
        return {p.split(" as ")[-1].split(".")[0].strip() for p in parts if p and p != "*"}
    if language in ("c", "cpp"):
        return set()
    if language == "go":
        return {_go_name(m.group(1), m.group(2)) for m in re.finditer(r"(?:(\w+) +)?\"([^\"]+)\"", text[6:])}
    if language == "java":
        last = text.rstrip("; ").rpartition(".")[2]
        return set() if last == "*" else {last}
    if language == "rust":
        clause = re.sub(r"[\w]+\s*::", "", text.rstrip("; ").removeprefix("use "))
        return {n for n in _IDENTIFIER.findall(clause) if n not in ("as", "self", "_")} if "*" not in text else set()
    clause = text.partition(" from ")[0].removeprefix("import ")
    return {n for n in _IDENTIFIER.findall(clause) if n not in ("as", "type")}


def _go_name(alias: str | None, path: str) -> str:
    return alias if alias and alias != "import" else path.rsplit("/", 1)[-1]


def _statements(syntax: Syntax | None) -> list[str]:
    """Give each import as a statement of its own; Go's groups are taken apart."""
    if syntax is None:
        return []
    found: list[str] = []
    for span in syntax.imports:
        text = syntax.text[span.start_offset : span.end_offset].strip()
        if syntax.facts.language == "go" and "(" in text:
            found += [f"import {line.strip()}" for line in text.splitlines()[1:] if '"' in line]
        else:
            found.append(text)
    return found


def _squeezed(statement: str) -> str:
    return re.sub(r"\s+", "", statement).replace("'", '"').rstrip(";")


def _preamble_end(place: Place, before_offset: int) -> int:
    language = place.facts.language
    pattern = _PREAMBLE.get({"typescript": "javascript", "typescriptreact": "javascript"}.get(language, language))
    if pattern is None:
        return 0
    # What is at or below `before_offset` is no preamble: a comment that asks may be the head of the file itself.
    head = place.text[:before_offset].replace("\r\n", " \n").replace("\r", "\n")
    match = pattern.match(head)
    return match.end() if match else 0
