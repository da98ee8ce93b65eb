"""What tree-sitter sees in a text, in code-point offsets. Judges nothing and changes nothing."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from tree_sitter import Node, Parser, Query, QueryCursor, Tree
from tree_sitter_language_pack import get_language

from fimble.actions.language import LanguageFacts, facts_of

PARSED_CHARS_MAX = 2_000_000
"""Longer texts are not parsed: an action refuses them anyway."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text, in code points."""

    start_offset: int
    end_offset: int


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or class. `span` takes in decorators, attributes and `export`, `core` does not; `body` has its braces.

    `body` is None for a declaration without one. `header` is the text from the definition's own keyword to
    its body. `n_outer` counts the definitions around it.
    """

    kind: str
    name: str
    span: Span
    core: Span
    body: Span | None
    header: str
    parameters: str
    n_outer: int = 0


class Syntax:
    """One parsed text."""

    def __init__(self, text: str, facts: LanguageFacts) -> None:
        self.text = text
        self.facts = facts
        # Some grammars (Go, preprocessor lines of C) miss the last line end.
        self._bytes = (text + "\n").encode("utf-8", "replace")
        self._tree: Tree = _parser(facts.grammar).parse(self._bytes)
        self._captures = QueryCursor(_query(facts.grammar, facts.query)).captures(self._tree.root_node)

    @cached_property
    def _offset(self) -> Callable[[int], int]:
        text = self.text
        if len(self._bytes) == len(text) + 1:
            return lambda n_bytes: min(n_bytes, len(text))
        # The byte at which each character starts; a lone surrogate was replaced by one byte.
        starts: list[int] = []
        here = 0
        for character in text:
            starts.append(here)
            code = ord(character)
            here += 1 if code < 0x80 or 0xD800 <= code < 0xE000 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
        starts.append(here)
        return lambda n_bytes: min(len(text), bisect_right(starts, n_bytes) - 1)

    def span(self, node: Node) -> Span:
        return Span(self._offset(node.start_byte), self._offset(node.end_byte))

    def _spans(self, name: str) -> tuple[Span, ...]:
        nodes = self._captures.get(name, [])
        return tuple(sorted((self.span(n) for n in nodes), key=lambda s: (s.start_offset, -s.end_offset)))

    @cached_property
    def comments(self) -> tuple[Span, ...]:
        return self._spans("comment")

    @cached_property
    def strings(self) -> tuple[Span, ...]:
        return self._spans("string")

    @cached_property
    def imports(self) -> tuple[Span, ...]:
        """Imports of the file itself; one inside a function belongs to that function."""
        return tuple(
            self.span(n) for n in self._captures.get("import", []) if n.parent is None or n.parent.parent is None
        )

    @cached_property
    def errors(self) -> tuple[Span, ...]:
        """Places that do not parse; empty for a whole file."""
        if not self._tree.root_node.has_error:
            return ()
        found: list[Span] = []
        waiting = [self._tree.root_node]
        while waiting:
            node = waiting.pop()
            if node.is_error or node.is_missing:
                found.append(self.span(node))
            elif node.has_error:
                waiting.extend(node.children)
        return tuple(sorted(found, key=lambda s: s.start_offset))

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """Functions and classes in the order of the text, outer ones first."""
        found = [
            definition
            for kind in ("function", "class")
            for node in self._captures.get(kind, [])
            if (definition := self._definition(node, kind)) is not None
        ]
        found.sort(key=lambda d: (d.span.start_offset, -d.span.end_offset))
        nested: list[Definition] = []
        open_ends: list[int] = []
        for d in found:
            while open_ends and open_ends[-1] <= d.span.start_offset:
                open_ends.pop()
            nested.append(replace(d, n_outer=len(open_ends)))
            open_ends.append(d.span.end_offset)
        return tuple(nested)

    @cached_property
    def top_level(self) -> tuple[Span, ...]:
        """Statements of the file itself, comments left out."""
        return tuple(self.span(n) for n in self._tree.root_node.named_children if "comment" not in n.type)

    def docstring(self, definition: Definition) -> Span | None:
        """Give the docstring at the head of a Python body, quotes included."""
        if definition.body is None or self.facts.doc != "docstring":
            return None
        start_offset = definition.body.start_offset
        for string in self.strings:
            if string.start_offset < start_offset:
                continue
            # Imports before it make it no docstring to Python; to the reader it is one.
            if _IMPORTS_ONLY.fullmatch(self.text, start_offset, string.start_offset) is None:
                return None
            rest_of_line = self.text[string.end_offset :].split("\n", 1)[0].strip()
            return None if rest_of_line.startswith((".", "%", "+", "[", "==")) else string
        return None

    def _definition(self, node: Node, kind: str) -> Definition | None:
        inner = node
        if node.type == "lexical_declaration":
            declarator = next((c for c in node.named_children if c.type == "variable_declarator"), None)
            value = declarator.child_by_field_name("value") if declarator else None
            # One declaration may hold several names, and the query is content with any of them.
            if declarator is None or value is None or value.type not in ("arrow_function", "function_expression"):
                return None
            name_node, inner = declarator.child_by_field_name("name"), value
        elif node.type == "type_declaration":
            inner = next((c for c in node.named_children if c.type in ("type_spec", "type_alias")), node)
            name_node = inner.child_by_field_name("name")
        else:
            name_node = node.child_by_field_name("name") or node.child_by_field_name("type")
            if node.type == "function_definition" and node.child_by_field_name("declarator") is not None:
                name_node = _declared_name(node)
        if name_node is None:
            return None
        body = inner.child_by_field_name("body")
        parameters = inner.child_by_field_name("parameters") or _parameters(inner)
        outer = node
        while outer.parent is not None and outer.parent.type in WRAPPERS:
            outer = outer.parent
        first = outer
        while (above := first.prev_sibling) is not None and above.type == "attribute_item":
            first = above
        span = Span(self._offset(first.start_byte), self._offset(outer.end_byte))
        body_span = self.span(body) if body is not None else None
        header_end_offset = body_span.start_offset if body_span else span.end_offset
        return Definition(
            kind,
            _text(name_node).rsplit("::", 1)[-1],
            span,
            self.span(node),
            body_span,
            self.text[self._offset(node.start_byte) : header_end_offset].rstrip(),
            _text(parameters) if parameters is not None else "",
        )


_IMPORTS_ONLY = re.compile(r"(?:[ \t]*(?:import|from)[ \t][^\n]*\n)*[ \t]*")
WRAPPERS = ("decorated_definition", "export_statement", "template_declaration")


def parse(text: str, language: str) -> Syntax | None:
    """Parse `text`, or give None for a language without a grammar or a text that is far too long."""
    facts = facts_of(language)
    if not facts.grammar or len(text) > PARSED_CHARS_MAX:
        return None
    return _parsed(text, facts.language)


@lru_cache(maxsize=16)
def _parsed(text: str, language: str) -> Syntax:
    return Syntax(text, facts_of(language))


@lru_cache(maxsize=16)
def _query(grammar: str, query: str) -> Query:
    return Query(get_language(grammar), query)  # type: ignore[arg-type]


def _parser(grammar: str) -> Parser:
    # A parser keeps state while it parses: one per call, since offers and verification may run on two threads.
    return Parser(get_language(grammar))  # type: ignore[arg-type]


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _declared_name(node: Node) -> Node | None:
    """Follow C's declarators (pointers, references, functions) to the name."""
    here: Node | None = node.child_by_field_name("declarator")
    while here is not None and here.child_by_field_name("declarator") is not None:
        here = here.child_by_field_name("declarator")
    if here is not None and here.type in ("pointer_declarator", "reference_declarator") and here.named_children:
        return here.named_children[-1]
    return here


def _parameters(node: Node) -> Node | None:
    here = node.child_by_field_name("declarator")
    while here is not None:
        if (parameters := here.child_by_field_name("parameters")) is not None:
            return parameters
        here = here.child_by_field_name("declarator") or next(
            (c for c in here.named_children if c.type == "function_declarator"), None
        )
    return None
