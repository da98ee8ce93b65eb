"""Bring a model's code to the look of the place it goes to: indentation, unit, line ends. Text in, text out."""

from __future__ import annotations

from fimble.actions.syntax import Span, parse
from fimble.context.window import indent_of


def reindent(code: str, language: str, indent: str, unit: str, shown_indent: str | None = None) -> str:
    """Give `code` (LF) with `indent` as its outermost indentation and `unit` per level.

    `shown_indent` is the indentation that counts as outermost, where the first line does not show it. The lines
    inside a string that spans lines stay as they are: their spaces are data.
    """
    lines = code.split("\n")
    old_unit = indent_of(code) or unit
    base = shown_indent if shown_indent is not None else _outermost(lines)
    inside = _string_lines(code, language)
    fitted: list[str] = []
    for number, line in enumerate(lines):
        if number in inside:
            fitted.append(line)
        elif not line.strip():
            fitted.append("")
        else:
            fitted.append(indent + _levels(_without(line, base), old_unit, unit))
    return "\n".join(fitted)


def with_line_ends(text: str, end_of_line: str) -> str:
    """Give LF text with the document's line ends."""
    return text if end_of_line == "\n" else text.replace("\n", end_of_line)


def _outermost(lines: list[str]) -> str:
    indents = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines if line.strip()]
    return min(indents, key=len, default="")


def _without(line: str, base: str) -> str:
    if line.startswith(base):
        return line[len(base) :]
    stripped = line.lstrip(" \t")
    return line[min(len(base), len(line) - len(stripped)) :]


def _levels(line: str, old_unit: str, unit: str) -> str:
    """Turn whole levels of the old unit into the new one; what remains is alignment."""
    if old_unit == unit:
        return line
    n_levels = 0
    while line.startswith(old_unit):
        line = line[len(old_unit) :]
        n_levels += 1
    return unit * n_levels + line


def _string_lines(code: str, language: str) -> set[int]:
    syntax = parse(code, language)
    if syntax is None:
        return set()
    docstrings = {syntax.docstring(d) for d in syntax.definitions}
    found: set[int] = set()
    for span in syntax.strings:
        if "\n" in code[span.start_offset : span.end_offset] and span not in docstrings:
            first = code.count("\n", 0, span.start_offset)
            found.update(range(first + 1, code.count("\n", 0, span.end_offset) + 1))
    return found


def line_of(text: str, offset: int) -> Span:
    """Give the line that holds `offset`, without its line end (LF)."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return Span(start, len(text) if end < 0 else end)


def rest_of_line(text: str, offset: int) -> str:
    """Give what stands on `offset`'s line after it, blanks aside (LF)."""
    return text[offset : line_of(text, offset).end_offset].strip()
