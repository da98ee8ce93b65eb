"""Pieces that prompts are made of: fences, surrounding code, the user's language. No model, no tokens."""

from __future__ import annotations

import re

from fimble.actions.language import LanguageFacts
from fimble.actions.outcome import ActionRefusedError, Refusal
from fimble.actions.place import Place
from fimble.actions.syntax import Definition
from fimble.text.line_index import to_lf

CONTEXT_LINES_MAX = 30
"""A definition longer than this enters a prompt as its header alone."""
_CJK = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")


def fenced(code: str, facts: LanguageFacts) -> str:
    """Give `code` in a fence longer than any run of backquotes in it."""
    fence = fence_for(code)
    return f"{fence}{fence_label(facts)}\n{to_lf(code).rstrip()}\n{fence}"


def fence_for(code: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    return "`" * max(3, longest + 1)


def fence_label(facts: LanguageFacts) -> str:
    return facts.fences[0] if facts.fences else ""


def opening(facts: LanguageFacts, start: str = "") -> str:
    """Give the start of an answer that is one code block; `start` is code the answer goes on from."""
    return f"```{fence_label(facts)}\n{to_lf(start)}"


def prose_rule(text: str, locale: str = "") -> str:
    """Give the sentence that asks for prose in the user's language; empty for English."""
    if _KANA.search(text):
        return " Answer in Japanese."
    if _HANGUL.search(text):
        return " Answer in Korean."
    if _CJK.search(text) or locale.lower().startswith("zh"):
        return " 请用中文回答。"
    return ""


def definition_text(place: Place, definition: Definition) -> str:
    return place.text[definition.span.start_offset : definition.span.end_offset]


def surroundings(place: Place, start_offset: int, end_offset: int, about: str) -> tuple[str, ...]:
    """Give what of the file helps to understand a stretch of it: imports, and definitions it names.

    Each piece is a fenced block with a line before it; most useful first.
    """
    syntax = place.syntax
    if syntax is None:
        before = "\n".join(to_lf(place.text[:start_offset]).splitlines()[-CONTEXT_LINES_MAX:])
        return (f"Code before it:\n{fenced(before, place.facts)}",) if before.strip() else ()
    words = set(re.findall(r"\w+", about))
    pieces: list[str] = []
    named: list[str] = []
    for d in syntax.definitions:
        holds = d.span.start_offset <= start_offset and end_offset <= d.span.end_offset
        apart = d.span.end_offset <= start_offset or d.span.start_offset >= end_offset
        if holds and d.kind == "class" and (d.span.start_offset, d.span.end_offset) != (start_offset, end_offset):
            named.insert(0, d.header)
        elif apart and d.name in words and d.n_outer == 0:
            text = definition_text(place, d)
            named.append(text if text.count("\n") < CONTEXT_LINES_MAX else d.header)
    if named:
        pieces.append(f"Definitions it uses:\n{fenced(chr(10).join(named), place.facts)}")
    imports = "\n".join(to_lf(place.text[s.start_offset : s.end_offset]).rstrip() for s in syntax.imports)
    if imports:
        pieces.append(f"Imports of the file:\n{fenced(imports, place.facts)}")
    return tuple(pieces)


def required_function(place: Place) -> Definition:
    """Give the function at the place. Errors: ActionRefusedError with `NOT_HERE`."""
    if place.function is None or place.function.body is None:
        raise ActionRefusedError(
            Refusal.NOT_HERE, "there is no function at this place", "put the cursor into one, or select it"
        )
    return place.function


def core_text(place: Place, definition: Definition) -> str:
    """Give a definition as a model should see it: whole lines, dedented by its own indentation."""
    indent = place.indent_at(definition.core.start_offset)
    lines = to_lf(place.text[definition.core.start_offset : definition.core.end_offset]).split("\n")
    return "\n".join(line.removeprefix(indent) for line in lines)


def header_text(definition: Definition, facts: LanguageFacts) -> str:
    """Give a function's header up to where its body goes on, for a prefill."""
    header = to_lf(definition.header)
    return header + (" {\n" if facts.has_blocks else "\n")
