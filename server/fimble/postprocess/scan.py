"""Reads brackets, strings and comments of a piece of code. No grammar, no judgement on what is found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from fimble.postprocess.language import Family, LanguageFacts

PAIRS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = frozenset(PAIRS.values())
_BEFORE_REGEX = re.compile(r"(?:^|[(,=:\[!&|?{};]|\breturn|\btypeof)\s*$")
_REGEX = re.compile(r"/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*")
_LEAD = re.compile(r"[ \t]*")
_CHAR_INNER = r"(?:\\[^\n][^'\n]{0,8}|[^\\'\n])"
_CHAR = re.compile(f"'{_CHAR_INNER}'")
PAIRS_DEPTH = 2
"""How deep brackets may stand in each other for the outermost pair to be passed over in one step."""
PIECES_MAX = 1_000
"""A match remembers each piece of its way, so a long text is read in several."""


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
def _steps(facts: LanguageFacts) -> re.Pattern[str]:
    """Give what matches everything up to the next word that changes something; that word is its only group.

    Passed over are plain text, line ends, and what begins and ends on one line: strings, comments, pairs of
    brackets. Each character begins one of the alternatives at most, so that no text makes the match slow.
    """
    block_comments = dict(facts.block_comments)
    strings = (*facts.long_quotes, *facts.quotes)
    brackets = (*PAIRS, *CLOSERS) if facts.has_brackets else ()
    slash = ("/",) if facts.has_regex_literals else ()
    words = sorted({*block_comments, *facts.line_comments, *strings}, key=len, reverse=True)
    words += [*slash, *brackets]
    firsts = {word[0] for word in words}
    text = f"[^{re.escape(''.join(sorted(firsts)))}\\n]"
    # A longer word that begins alike comes first, as three quotes do before one.
    pieces = [rf"{re.escape(char)}{_unless(char, words)}" for char in sorted(firsts.difference(words))]
    for opening, closing in block_comments.items():
        end = re.escape(closing)
        pieces.append(rf"{re.escape(opening)}{_unless(opening, words)}(?:(?!{end})[^\n])*{end}")
    for opening in facts.line_comments:
        pieces.append(rf"{re.escape(opening)}{_unless(opening, words)}[^\n]*(?=\n)")
    for quote in strings:
        end = re.escape(quote)
        inner = _CHAR_INNER if quote == "'" and facts.has_char_literals_only else rf"(?:(?!{end})[^\\\n]|\\[^\n])*"
        pieces.append(f"{end}{_unless(quote, words)}{inner}{end}")
    pairs: list[str] = []
    for _ in range(PAIRS_DEPTH if brackets else 0):
        inner = _run(text, [*pieces, *pairs])
        pairs = [f"{re.escape(opening)}{inner}{re.escape(closing)}" for opening, closing in PAIRS.items()]
    run = _run(text, ["\\n", *pieces, *pairs], PIECES_MAX)
    return re.compile(f"{run}({'|'.join(map(re.escape, words)) or '(?!)'})?")


def _run(text: str, pieces: Sequence[str], n_max: int | None = None) -> str:
    times = "*" if n_max is None else f"{{0,{n_max}}}"
    return f"{text}*(?:(?:{'|'.join(pieces)}){text}*){times}" if pieces else f"{text}*"


def _unless(word: str, words: Sequence[str]) -> str:
    """Write that none of the longer `words` which begin with `word` stands here."""
    rests = [re.escape(other[len(word) :]) for other in words if other != word and other.startswith(word)]
    return f"(?!{'|'.join(rests)})" if rests else ""


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
        text, steps, offset = self.text, _steps(self.facts), 0
        if inside.in_code and not self.line_prefix:
            self.free_lines.append(0)
        if not inside.in_code:
            offset, inside = self._leave(0, inside)
        while inside.in_code and offset < len(text):
            match = steps.match(text, offset)
            if match is None:
                break
            word, start, end = match[1], match.start(1), match.end()
            self._pass_lines(offset, end if word is None else start)
            offset = end
            if word is None:
                continue
            if word in PAIRS:
                self.openers.append(self._bracket(word, start))
            elif word in CLOSERS:
                self._close(word, start)
            elif word == "/":
                offset = self._skip_regex(start)
            elif word == "'" and self.facts.has_char_literals_only:
                literal = _CHAR.match(text, start)
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
        if n_ends := text.count("\n", offset, end):
            self._next_lines(n_ends, text.rfind("\n", offset, end) + 1, free=False)
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

    def _pass_lines(self, offset: int, end_offset: int) -> None:
        """Note the lines that end between the offsets, in code."""
        n_ends = self.text.count("\n", offset, end_offset)
        if n_ends:
            self._next_lines(n_ends, self.text.rfind("\n", offset, end_offset) + 1, free=self._is_free())

    def _next_lines(self, n_ends: int, start: int, free: bool) -> None:
        line = self.line + n_ends
        if self.openers or not free:
            self.held_lines.extend(range(self.line, line))
        if free:
            self.free_lines.extend(range(self.line + 1, line + 1))
        self.line, self.line_start = line, start

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
