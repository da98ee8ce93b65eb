"""Reads brackets, strings and comments of a piece of code. No grammar, no judgement on what is found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from fimble.postprocess.language import Family, LanguageFacts

PAIRS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = frozenset(PAIRS.values())
_BEFORE_REGEX = re.compile(r"(?:^|[(,=:\[!&|?{};]|\breturn|\btypeof)\s*$")
_REGEX = re.compile(r"/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*")
_LEAD = re.compile(r"[ \t]*")
_CHAR = re.compile(r"'(?:\\[^\n]{1,9}?|[^\\'\n])'")


@dataclass(frozen=True, slots=True)
class Inside:
    """What the text is inside of at one place: nothing, a string or a comment, and what ends it."""

    kind: str = ""
    closing: str = ""

    @property
    def in_code(self) -> bool:
        return not self.kind


CODE = Inside()


@dataclass(frozen=True, slots=True)
class Bracket:
    """One bracket (or the quote that ends a string) and its line."""

    char: str
    offset: int
    line: int
    indent_columns: int
    first_on_line: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found: brackets left open, those closed that the text did not open, and the state at the end.

    `free_lines` are the lines that start outside strings, block comments and brackets other than a block's,
    `held_lines` those that end inside of something that the text opened.
    """

    openers: tuple[Bracket, ...]
    closers: tuple[Bracket, ...]
    inside: Inside
    free_lines: tuple[int, ...]
    held_lines: tuple[int, ...]


def indent_columns(line: str, tab_width_columns: int = 4) -> int:
    """Measure a line's indentation."""
    columns = 0
    for char in line:
        if char == " ":
            columns += 1
        elif char == "\t":
            columns += tab_width_columns - columns % tab_width_columns
        else:
            break
    return columns


@lru_cache(maxsize=64)
def _tokens(facts: LanguageFacts) -> re.Pattern[str]:
    words = [opening for opening, _ in facts.block_comments]
    words += [*facts.line_comments, *facts.long_quotes, *facts.quotes]
    words = sorted(words, key=len, reverse=True)
    if facts.has_regex_literals:
        words.append("/")
    if facts.has_brackets:
        words += [*PAIRS, *CLOSERS]
    return re.compile("|".join(["\n", *map(re.escape, words)]))


@lru_cache(maxsize=64)
def _ending(closing: str, spans_lines: bool) -> re.Pattern[str]:
    escaped, stop = re.escape(closing), "" if spans_lines else "\\n"
    return re.compile(rf"(?:\\.|(?!{escaped})[^\\{stop}])*({escaped})", re.S)


def scan(text: str, facts: LanguageFacts, start: Inside = CODE, line_prefix: str = "", tab_width: int = 4) -> Scan:
    """Read `text`, which begins in the state `start` after `line_prefix`.

    Units: offsets in code points of `text`; lines from 0.
    """
    reader = _Reader(text, facts, line_prefix, tab_width)
    return reader.read(start)


class _Reader:
    def __init__(self, text: str, facts: LanguageFacts, line_prefix: str, tab_width: int) -> None:
        self.text, self.facts, self.line_prefix, self.tab_width = text, facts, line_prefix, tab_width
        self.openers: list[Bracket] = []
        self.closers: list[Bracket] = []
        self.free_lines: list[int] = []
        self.held_lines: list[int] = []
        self.line = 0
        self.line_start = 0
        self.measured_line = -1
        self.line_indent = 0
        self.first_offset = -1

    def read(self, inside: Inside) -> Scan:
        text, tokens, offset = self.text, _tokens(self.facts), 0
        if inside.in_code and not self.line_prefix:
            self.free_lines.append(0)
        if not inside.in_code:
            offset, inside = self._leave(0, inside)
        while inside.in_code:
            match = tokens.search(text, offset)
            if match is None:
                break
            word, offset = match.group(), match.end()
            if word == "\n":
                self._next_line(match.end(), free=self._is_free())
            elif word in PAIRS:
                self.openers.append(self._bracket(word, match.start()))
            elif word in CLOSERS:
                self._close(word, match.start())
            elif word == "/":
                offset = self._skip_regex(match.start())
            elif word == "'" and self.facts.has_char_literals_only:
                literal = _CHAR.match(text, match.start())
                offset = literal.end() if literal else offset
            else:
                offset, inside = self._leave(offset, self._enter(word), opened=True)
        return Scan(tuple(self.openers), tuple(self.closers), inside, tuple(self.free_lines), tuple(self.held_lines))

    def _enter(self, word: str) -> Inside:
        for opening, closing in self.facts.block_comments:
            if word == opening:
                return Inside("block comment", closing)
        if word in self.facts.line_comments:
            return Inside("line comment", "\n")
        return Inside("long string" if word in self.facts.long_quotes else "string", word)

    def _leave(self, offset: int, inside: Inside, opened: bool = False) -> tuple[int, Inside]:
        """Go to the end of the string or comment; a string of one line ends with its line at the latest."""
        text, closing = self.text, inside.closing
        if inside.kind == "line comment":
            end = text.find("\n", offset)
            return (len(text), inside) if end < 0 else (end, CODE)
        if inside.kind == "block comment":
            found = text.find(closing, offset)
            end = len(text) if found < 0 else found + len(closing)
        else:
            spans_lines = inside.kind == "long string"
            match = _ending(closing, spans_lines).match(text, offset)
            found = match.start(1) if match else -1
            end = match.end() if match else len(text)
            if not match and not spans_lines and (newline := text.find("\n", offset)) >= 0:
                return newline, CODE
        start, newline = offset, text.find("\n", offset, end)
        while newline >= 0:
            self._next_line(newline + 1, free=False)
            start = newline + 1
            newline = text.find("\n", start, end)
        if found < 0:
            return end, inside
        if not opened and inside.kind.endswith("string"):
            self.closers.append(self._bracket(closing, found))
        return end, CODE

    def _is_free(self) -> bool:
        """Say whether a statement may start here: braces hold statements, except where indentation does."""
        if not self.openers:
            return True
        return self.openers[-1].char == "{" and self.facts.family is not Family.INDENTATION

    def _next_line(self, start: int, free: bool) -> None:
        if self.openers or not free:
            self.held_lines.append(self.line)
        self.line += 1
        self.line_start = start
        if free:
            self.free_lines.append(self.line)

    def _bracket(self, char: str, offset: int) -> Bracket:
        if self.measured_line != self.line:
            self._measure_line()
        return Bracket(char, offset, self.line, self.line_indent, offset == self.first_offset)

    def _measure_line(self) -> None:
        """Read the line's indentation once: a line may have thousands of brackets."""
        lead = _LEAD.match(self.text, self.line_start)
        end = lead.end() if lead else self.line_start
        before = self.line_prefix if self.line == 0 else ""
        self.measured_line = self.line
        self.line_indent = indent_columns(before + self.text[self.line_start : end], self.tab_width)
        self.first_offset = -1 if before.strip() else end

    def _close(self, char: str, offset: int) -> None:
        for index in range(len(self.openers) - 1, -1, -1):
            if PAIRS[self.openers[index].char] == char:
                del self.openers[index:]
                return
        self.closers.append(self._bracket(char, offset))

    def _skip_regex(self, offset: int) -> int:
        before = self.line_prefix + self.text[:offset] if self.line == 0 else self.text[self.line_start : offset]
        literal = _REGEX.match(self.text, offset) if _BEFORE_REGEX.search(before) else None
        return literal.end() if literal else offset + 1
