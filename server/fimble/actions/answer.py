"""Take code and prose apart in what a model answered. Knows nothing of the place the code goes to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fimble.actions.language import LanguageFacts
from fimble.actions.outcome import ActionRefusedError, Refusal
from fimble.actions.syntax import parse
from fimble.text.line_index import to_lf

_FENCE = re.compile(r"^[ \t]{0,8}(`{3,}|~{3,})[ \t]*([^\s`]*)[^\n`]*$", re.MULTILINE)
# A model that is cut short, or that argues, may leave these in "code".
_CONTROL_CHARS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. `closed` is False where the answer ended before its fence did."""

    language: str
    text: str
    closed: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in its parts; `prose` is what stands outside the blocks."""

    blocks: tuple[Block, ...]
    prose: str


def take_apart(text: str) -> Answer:
    """Split an answer at its fences; a fence closes with at least as many of the same characters."""
    text = _CONTROL_CHARS.sub("", to_lf(text))
    blocks: list[Block] = []
    prose: list[str] = []
    here = 0
    while (opened := _FENCE.search(text, here)) is not None:
        prose.append(text[here : opened.start()])
        mark = opened.group(1)
        closing = re.compile(rf"^[ \t]{{0,8}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$", re.MULTILINE)
        start = min(len(text), opened.end() + 1)
        closed = closing.search(text, start)
        end = closed.start() if closed else len(text)
        blocks.append(Block(opened.group(2).lower(), text[start:end].rstrip("\n"), closed is not None))
        here = closed.end() if closed else len(text)
    prose.append(text[here:])
    return Answer(tuple(blocks), "\n".join(p.strip("\n") for p in prose if p.strip()).strip())


def code_of(text: str, facts: LanguageFacts, promised: str = "") -> str:
    """Give the code of an answer: the block in the right language that defines `promised`, else the first such
    block, else the whole answer if it is code without fences.

    Errors: ActionRefusedError with `EMPTY_ANSWER`, `NO_CODE` or `CUT_OFF`.
    """
    if not text.strip():
        raise ActionRefusedError(Refusal.EMPTY_ANSWER, "the model gave no answer")
    answer = take_apart(text)
    blocks = [b for b in answer.blocks if b.text.strip()]
    fitting = [b for b in blocks if not b.language or b.language in facts.fences or b.language == facts.language]
    # A wrong label is a slip where the text still parses as the right language.
    fitting = fitting or [b for b in blocks if facts.grammar and _parses(b.text, facts)]
    if fitting:
        chosen = next((b for b in fitting if promised and _defines(b.text, promised, facts)), fitting[0])
        return chosen.text
    if blocks:
        raise ActionRefusedError(
            Refusal.NO_CODE, f"the model answered with {blocks[0].language} code instead of {facts.title}"
        )
    bare = to_lf(text).strip("\n")
    if facts.grammar and _parses(bare, facts) and _has_code(bare, facts):
        return bare
    raise ActionRefusedError(Refusal.NO_CODE, "the model's answer holds no code")


def _parses(text: str, facts: LanguageFacts) -> bool:
    syntax = parse(text, facts.language)
    return syntax is not None and not syntax.errors


def _has_code(text: str, facts: LanguageFacts) -> bool:
    syntax = parse(text, facts.language)
    return syntax is not None and bool(syntax.definitions or re.search(r"[=(\[{;:]", text))


def _defines(text: str, name: str, facts: LanguageFacts) -> bool:
    syntax = parse(text, facts.language)
    return syntax is not None and any(d.name == name for d in syntax.definitions)
