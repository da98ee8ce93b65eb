"""Reads the place of the cursor once for policy, stop rules and filters. Knows the window only, never the answer."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from fimble.postprocess.language import Family, LanguageFacts, facts_of
from fimble.postprocess.scan import CLOSERS, CODE, PAIRS, Bracket, Inside, Scan, indent_columns, scan
from fimble.records import CursorWindow

PREFIX_CHARS_READ_MAX = 8_000
"""What is further above does not change what the next lines may be; reading all of a window takes twice as long."""
SUFFIX_CHARS_READ_MAX = 4_000
_CLOSERS_ONLY = re.compile(r"""[\s)\]}>"'`;,:]*\Z""")
_STRING_FOLLOWS = re.compile(r"(?:[=(\[{,:+%]|\breturn|(?<![a-zA-Z])[rRbBfFuU]{1,2})\s*\Z")


class Spot(enum.Enum):
    """Where on its line the cursor stands."""

    OWN_LINE = "own line"
    """Nothing but whitespace on the line."""
    ABOVE_LINE = "above line"
    """Only whitespace before, code after: text goes in as lines of its own, or joins the code."""
    LINE_END = "line end"
    """Code before, nothing after."""
    BEFORE_CLOSERS = "before closers"
    """Code before; after it only what an editor may have closed by itself."""
    MID_LINE = "mid line"
    """Code on both sides."""


@dataclass(frozen=True, slots=True)
class Site:
    """The place of the cursor.

    `openers` are the brackets open at the cursor (innermost last), `closers` what the suffix closes that it
    did not open (nearest first). `closed[k]` says whether the suffix closes the k-th opener from inside.
    `above` is the statement above the cursor's line, or the cursor's own statement when its line has code.
    `levels` are the indentations of the blocks open there, deepest first. `below` is the nearest line after
    the cursor that has text. Units: indentation in columns.
    """

    facts: LanguageFacts
    spot: Spot
    inside: Inside
    openers: tuple[Bracket, ...]
    closers: tuple[Bracket, ...]
    closed: tuple[bool, ...]
    indent: int
    above: str
    above_indent: int
    levels: tuple[int, ...]
    comment_above: bool
    below: str
    below_indent: int
    below_is_next: bool

    @property
    def opens_block(self) -> bool:
        """Whether the statement above (or the cursor's own) waits for a block."""
        return opens_block(self.above, self.facts)

    @property
    def mid_line(self) -> bool:
        """Whether something stands on the cursor's line that the answer must meet."""
        return self.spot in (Spot.MID_LINE, Spot.BEFORE_CLOSERS)


def is_comment(line: str, facts: LanguageFacts) -> bool:
    """Say whether the line is a comment and nothing else."""
    return line.strip().startswith((*facts.line_comments, *(opening for opening, _ in facts.block_comments)))


def opens_block(line: str, facts: LanguageFacts) -> bool:
    """Say whether a block is expected after this line."""
    if facts.family is Family.TAGS:
        return bool(re.search(r"<(?!/|!)[\w:.-]+(?:\s[^<>]*)?(?<!/)>\s*\Z", line))
    code = strip_comment(line, facts)
    if facts.gap_means_value and code[-1:] == " ":
        return False
    code = code.rstrip()
    for ending in facts.opener_ends:
        if code.endswith(ending) and not (ending[-1].isalpha() and code[: -len(ending)][-1:].isalnum()):
            return True
    return False


def strip_comment(line: str, facts: LanguageFacts) -> str:
    """Give the line without a comment at its end."""
    found = scan(line, facts).inside
    if found.kind != "line comment":
        return line
    # The comment starts at the first opening that leaves the code before it outside strings.
    for match in re.finditer("|".join(map(re.escape, facts.line_comments)), line):
        if scan(line[: match.start()], facts).inside.in_code:
            return line[: match.start()]
    return line


@lru_cache(maxsize=16)
def survey(window: CursorWindow) -> Site:
    """Read the place of the cursor."""
    window = _near(window)
    facts, tab_width = facts_of(window.language), window.tab_width_columns
    before = scan(window.prefix, facts, _state_at_start(window.prefix, facts), tab_width=tab_width)
    after = scan(window.suffix, facts, before.inside, window.line_prefix, tab_width)
    spot = _spot(window)
    lines = window.prefix.split("\n")
    above, levels, comment_above = _statements_above(
        lines, before, facts, tab_width, own=bool(window.line_prefix.strip())
    )
    below, below_is_next = _below(window, spot)
    indent = indent_columns(window.line_prefix, tab_width)
    below_indent = indent_columns(below, tab_width)
    return Site(
        facts=facts,
        spot=spot,
        inside=before.inside,
        openers=before.openers,
        closers=after.closers,
        closed=_closed(before.openers, after.closers, below_indent if below else None),
        indent=indent,
        above=above,
        above_indent=indent_columns(above, tab_width),
        levels=levels,
        comment_above=comment_above,
        below=below,
        below_indent=below_indent,
        below_is_next=below_is_next,
    )


def _near(window: CursorWindow) -> CursorWindow:
    """Cut a large window down at line borders."""
    prefix, suffix = window.prefix, window.suffix
    if len(prefix) > PREFIX_CHARS_READ_MAX:
        start = prefix.find("\n", len(prefix) - PREFIX_CHARS_READ_MAX) + 1
        prefix = prefix[start:] if start else window.line_prefix
    if len(suffix) > SUFFIX_CHARS_READ_MAX:
        end = suffix.rfind("\n", 0, SUFFIX_CHARS_READ_MAX)
        suffix = suffix[:end] if end >= 0 else window.line_suffix
    return replace(window, prefix=prefix, suffix=suffix)


def _spot(window: CursorWindow) -> Spot:
    code_before, code_after = bool(window.line_prefix.strip()), bool(window.line_suffix.strip())
    if not code_before:
        return Spot.ABOVE_LINE if code_after else Spot.OWN_LINE
    if not code_after:
        return Spot.LINE_END
    return Spot.BEFORE_CLOSERS if _CLOSERS_ONLY.match(window.line_suffix) else Spot.MID_LINE


def _below(window: CursorWindow, spot: Spot) -> tuple[str, bool]:
    """Find the nearest line with text after the cursor, and whether it is the very next one."""
    if spot is Spot.ABOVE_LINE:
        return window.line_prefix + window.line_suffix, True
    for index, line in enumerate(window.lines_below):
        if line.strip():
            return line, index == 0
    return "", False


def _statements_above(
    lines: list[str], before: Scan, facts: LanguageFacts, tab_width: int, own: bool
) -> tuple[str, tuple[int, ...], bool]:
    """Find the statement that the cursor continues or follows, the indentations of the open blocks, and
    whether a comment stands right above."""
    last = len(lines) - 1 if own else len(lines) - 2
    free = (index for index in reversed(before.free_lines) if index <= last and lines[index].strip())
    above, end, levels, comment_above = "", last, list[int](), False
    for n_read, index in enumerate(free):
        line = lines[index]
        if is_comment(line, facts):
            comment_above = comment_above or (n_read == 0 and not own)
            end = index - 1
            continue
        if not levels:
            # A statement over several lines has the first line's indentation and the last line's ending.
            ending = next((text for text in reversed(lines[index : end + 1]) if text.strip()), line)
            above = line if ending is line else line[: len(line) - len(line.lstrip())] + ending.lstrip()
        columns = indent_columns(line, tab_width)
        if not levels or columns < levels[-1]:
            levels.append(columns)
        if columns == 0:
            break
    return above, tuple(levels), comment_above


def _closed(openers: tuple[Bracket, ...], closers: tuple[Bracket, ...], below_indent: int | None) -> tuple[bool, ...]:
    """Say for each opener, from inside, whether the suffix closes it.

    Brackets alone cannot say which one a closer belongs to when some are missing; the indentation of the
    line it starts can. A suffix that ends before any closer is taken to close later what the next line is
    still inside of.
    """
    closed: list[bool] = []
    taken = 0
    brackets = [closer for closer in closers if closer.char in CLOSERS]
    for opener in reversed(openers):
        if taken < len(brackets):
            closer = brackets[taken]
            dedented = closer.first_on_line and closer.line > 0 and closer.indent_columns < opener.indent_columns
            closed.append(closer.char == PAIRS[opener.char] and not dedented)
            taken += closed[-1]
        else:
            closed.append(taken == 0 and below_indent is not None and below_indent > opener.indent_columns)
    return tuple(closed)


def _state_at_start(prefix: str, facts: LanguageFacts) -> Inside:
    """Guess whether a prefix that was cut begins inside a long string or a block comment."""
    for opening, closing in facts.block_comments:
        end = re.search(rf"{re.escape(closing)}[ \t]*$", prefix, re.M)
        if end and prefix.rfind(opening, 0, end.start()) < 0:
            return Inside("block comment", closing)
    for quote in facts.long_quotes:
        first = prefix.find(quote) if len(quote) > 1 else -1
        if first >= 0 and _ends_string(prefix, first, len(quote)):
            return Inside("long string", quote)
    return CODE


def _ends_string(prefix: str, offset: int, n_quote_chars: int) -> bool:
    line_start = prefix.rfind("\n", 0, offset) + 1
    line_end = prefix.find("\n", offset)
    before = prefix[line_start:offset].strip()
    behind = prefix[offset + n_quote_chars : line_end if line_end >= 0 else len(prefix)]
    if before:
        return not (_STRING_FOLLOWS.search(before) or re.fullmatch(r"[rRbBfFuU]{1,2}", before) or "#" in before)
    if re.match(r"\s*\w", behind):
        return False
    above = prefix[:line_start].rstrip()
    return bool(above) and not _STRING_FOLLOWS.search(above)
