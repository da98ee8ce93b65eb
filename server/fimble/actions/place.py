"""Where the user is: selection, comment block, enclosing definition, stub. Reads the snapshot and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from fimble.actions.comment import CommentBlock, block_at
from fimble.actions.language import LanguageFacts, facts_of
from fimble.actions.syntax import Definition, Span, Syntax, parse
from fimble.context.window import DEFAULT_INDENT, indent_of
from fimble.text.document import DocumentSnapshot

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_WORD = re.compile(r"\w\w+")
_DIRECTIVE = re.compile(
    r"^\s*(!|-\*-|type:|noqa|pragma|eslint|@ts-|region|endregion|TODO\W*$|FIXME\W*$|copyright\b)", re.I
)
_STUB_STATEMENT = re.compile(
    r"^(?:pass|import [\w., ]+|from [\w.]+ import .+"
    r"|\.\.\.|raise NotImplementedError(?:\(.*\))?|todo!\(.*\);?|unimplemented!\(.*\);?"
    r"|panic\(\"(?:not implemented|TODO).*\"\)|throw new (?:Error|UnsupportedOperationException)\(.*\);?)$"
)
WORDS_MIN = 2
CJK_CHARS_MIN = 4
"""Less than two words, or four Chinese, Japanese or Korean characters, asks for nothing that can be written."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A diagnostic that some server reported, in code points of the snapshot."""

    message: str
    start_offset: int
    end_offset: int
    source: str = ""


@dataclass(frozen=True)
class Place:
    """A selection (empty for a cursor) in a snapshot, with the problems reported there."""

    document: DocumentSnapshot
    start_offset: int
    end_offset: int
    problems: tuple[Problem, ...] = ()

    @cached_property
    def facts(self) -> LanguageFacts:
        return facts_of(self.document.language)

    @cached_property
    def syntax(self) -> Syntax | None:
        return parse(self.document.text, self.document.language)

    @property
    def text(self) -> str:
        return self.document.text

    @cached_property
    def indent_unit(self) -> str:
        """One level of indentation as the file writes it, else as its language does."""
        return self.unit_for("")

    def unit_for(self, code: str) -> str:
        """Give one level of indentation for new code: the file's, else the language's, else the code's own."""
        return indent_of(self.text) or self.facts.indent or indent_of(code) or DEFAULT_INDENT

    @property
    def selected(self) -> str:
        return self.text[self.start_offset : self.end_offset]

    @cached_property
    def lines(self) -> Span:
        """The selection widened to whole lines, the last line end left out."""
        last = self.end_offset
        # A selection that ends at the start of a line does not mean that line.
        if last > self.start_offset and self.line_start(last) == last:
            last -= 1
        return Span(self.line_start(self.start_offset), self.line_end(last))

    def line_start(self, offset: int) -> int:
        return self.document.line_start(self.document.line_of(offset))

    def line_end(self, offset: int) -> int:
        """Give the end of `offset`'s line, before its line end."""
        return self.document.line_end(self.document.line_of(offset))

    def indent_at(self, offset: int) -> str:
        """Give the whitespace at the head of `offset`'s line."""
        start = self.line_start(offset)
        line = self.text[start : self.line_end(offset)]
        return line[: len(line) - len(line.lstrip(" \t"))]

    @cached_property
    def function(self) -> Definition | None:
        return self._innermost("function")

    @cached_property
    def definition(self) -> Definition | None:
        """The innermost function or class that holds the selection."""
        return self._innermost("")

    def _innermost(self, kind: str) -> Definition | None:
        if self.syntax is None:
            return None
        start, end = self.lines.start_offset, self.lines.end_offset
        touching = [
            d
            for d in self.syntax.definitions
            if (not kind or d.kind == kind)
            and self.line_start(d.span.start_offset) <= start
            and end <= self.line_end(d.span.end_offset)
        ]
        if not touching and self.selected.strip():
            # A selection that holds exactly one definition, with blank lines or comments around, means it.
            inside = [d for d in self.syntax.definitions if start <= d.span.start_offset and d.span.end_offset <= end]
            tops = [d for d in inside if d.n_outer == min(i.n_outer for i in inside)]
            touching = tops if len(tops) == 1 and (not kind or tops[0].kind == kind) else []
        return max(touching, key=lambda d: (d.n_outer, d.span.start_offset), default=None)

    @cached_property
    def comment(self) -> CommentBlock | None:
        """The comment block at the cursor, or that the selection starts in."""
        return block_at(self)

    def definition_below(self, offset: int) -> Definition | None:
        """Give the definition that starts on the next line that is not blank."""
        rest = self.text[offset:]
        start = offset + len(rest) - len(rest.lstrip())
        if self.syntax is None or rest[: start - offset].count("\n") > 1:
            return None
        return next((d for d in self.syntax.definitions if d.span.start_offset == start), None)

    def is_stub(self, definition: Definition) -> bool:
        """Say whether a function's body says nothing yet (a docstring and comments aside)."""
        if definition.kind != "function" or definition.body is None or self.syntax is None:
            return False
        return is_placeholder(self.syntax, definition)


def is_placeholder(syntax: Syntax, definition: Definition) -> bool:
    """Say whether a function's body is empty, `pass`, `...`, `todo!()` or the like."""
    body = definition.body
    if body is None:
        return True
    docstring = syntax.docstring(definition)
    left_out = [c for c in syntax.comments if body.start_offset <= c.start_offset < body.end_offset]
    pieces: list[str] = []
    here = body.start_offset
    for span in sorted([*left_out, *([docstring] if docstring else [])], key=lambda s: s.start_offset):
        pieces.append(syntax.text[here : span.start_offset])
        here = max(here, span.end_offset)
    rest = "".join((*pieces, syntax.text[here : body.end_offset])).strip()
    if syntax.facts.has_blocks:
        rest = rest.removeprefix("{").removesuffix("}").strip()
    return not rest or all(_STUB_STATEMENT.match(line.strip()) for line in rest.splitlines() if line.strip())


def asks_something(text: str) -> bool:
    """Say whether a comment's text may be a wish for code: not empty, no directive, not a single word."""
    if _DIRECTIVE.match(text):
        return False
    return len(_CJK.findall(text)) >= CJK_CHARS_MIN or len(_WORD.findall(text)) >= WORDS_MIN
