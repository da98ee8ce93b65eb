"""Filter: the block that the cursor is in ends the answer. Follows indentation and brackets, no grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from fimble.postprocess.draft import Draft, Outcome, Place, cut_or_decline
from fimble.postprocess.language import Family
from fimble.postprocess.scan import CLOSERS, indent_columns, scan
from fimble.postprocess.site import Site, Spot, opens_block, survey
from fimble.records import CursorWindow, DeclineReason, Shape

BLANK_LINES_MAX = 1
_DEFINES = re.compile(r"(?:async\s+def|def|class|@\w)")
_CLOSING_WORD = re.compile(r"(?:end\b|fi\b|done\b|esac\b|until\b|\}|\)|END\b|</)")


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the answer; `is_free` says that a statement may start there. Units: columns, code points."""

    body: str
    indent: int
    start_offset: int
    end_offset: int
    is_free: bool
    starts_closer: bool
    open_at_end: bool
    n_closed: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """How far the cursor's block goes in an answer; `is_over` says that what follows is not part of it."""

    end_offset: int
    is_over: bool


def scope_of(text: str, window: CursorWindow, site: Site) -> Scope:
    """Find where the cursor's block is over.

    The rules, in order: two blank lines; a statement that starts left of the block; at the top level, a blank
    line before another statement; everything open at the cursor was closed.
    """
    floor = _Floor(window, site)
    n_blank = 0
    has_content = False
    for line in _lines(text, window, site):
        if not line.body:
            if line.is_last:
                continue  # the last line may still be written
            n_blank += 1
            if n_blank > BLANK_LINES_MAX and has_content:
                return Scope(line.start_offset, True)
            continue
        if floor.excludes(line) and (not has_content or (line.is_free and not line.starts_closer)):
            return Scope(line.end_offset if has_content and floor.closes(line) else line.start_offset, True)
        at_top = line.is_free and not line.starts_closer and line.indent == 0 and floor.columns == 0
        if has_content and n_blank and at_top and site.facts.family is not Family.PROSE:
            return Scope(line.start_offset, True)
        floor.see(line)
        has_content = True
        n_blank = 0
        if line.n_closed and not line.open_at_end and _is_complete(line, site):
            if opens_block(line.body, site.facts):
                return _scope_of_body(text, line.end_offset, window)
            return Scope(line.end_offset, True)
        if site.facts.ends_at_semicolon and line.body.endswith(";"):
            return Scope(line.end_offset, True)
    return Scope(len(text), False)


def _scope_of_body(text: str, body_offset: int, window: CursorWindow) -> Scope:
    """Go on in the block that the answer itself has opened: `def f(` → `a, b):` and its body."""
    if not text[body_offset:].strip():
        return Scope(len(text), False)
    inner = replace(window, prefix=window.prefix + text[:body_offset])
    scope = scope_of(text[body_offset:], inner, survey(inner))
    return Scope(body_offset + scope.end_offset, scope.is_over)


def _is_complete(line: _Line, site: Site) -> bool:
    """Say whether what had to be closed is closed: all brackets of a statement, or the block itself."""
    if not site.openers:
        return False
    innermost = site.openers[-1]
    if innermost.char == "{" and site.facts.family is not Family.INDENTATION:
        return True
    same_line = sum(1 for opener in site.openers if opener.line == innermost.line)
    return line.n_closed >= same_line


def _lines(text: str, window: CursorWindow, site: Site) -> list[_Line]:
    found = scan(text, site.facts, site.inside, window.line_prefix, window.tab_width_columns)
    free, held = frozenset(found.free_lines), frozenset(found.held_lines)
    closers = [closer.offset for closer in found.closers if closer.char in CLOSERS]
    n_held = len(site.openers) if site.facts.family is Family.INDENTATION else _n_round(site)
    pieces = text.split("\n")
    result: list[_Line] = []
    offset = 0
    for index, piece in enumerate(pieces):
        end = offset + len(piece) + 1
        n_closed = sum(1 for closer in closers if closer < end)
        is_held = index in held if index + 1 < len(pieces) else bool(found.openers)
        whole = window.line_prefix + piece if index == 0 else piece
        result.append(
            _Line(
                body=piece.strip(),
                indent=indent_columns(whole, window.tab_width_columns),
                start_offset=offset,
                end_offset=min(end, len(text)),
                is_free=(index in free or index == 0) and n_closed >= n_held,
                starts_closer=piece.strip()[:1] in CLOSERS and site.facts.has_brackets,
                open_at_end=is_held,
                n_closed=n_closed,
                is_last=index == len(pieces) - 1,
            )
        )
        offset = end
    return result


def _n_round(site: Site) -> int:
    """Count the innermost open brackets that are not a block's: inside them no statement starts."""
    count = 0
    for opener in reversed(site.openers):
        if opener.char == "{":
            break
        count += 1
    return count


class _Floor:
    """The column that a statement of the block may not start left of."""

    def __init__(self, window: CursorWindow, site: Site) -> None:
        self.window, self.site = window, site
        self.columns = -1
        self.n_seen = 0
        own_line = site.spot in (Spot.OWN_LINE, Spot.ABOVE_LINE)
        if own_line and site.indent > 0:
            self.columns = site.indent
        elif not own_line and not site.opens_block:
            self.columns = site.above_indent
        self.inner = not own_line and site.opens_block

    def see(self, line: _Line) -> None:
        """Take the column from the first line, where the cursor's own line does not say it."""
        first = self.n_seen == 0
        self.n_seen += 1
        if self.columns >= 0 or (self.inner and first and line.start_offset == 0):
            return
        below = self.site.below_indent if self.site.below else 0
        if self.site.spot is Spot.ABOVE_LINE or (below > 0 and not self.inner):
            self.columns = min(line.indent, below)
        elif self.inner:
            self.columns = line.indent
        else:
            inner = [level for level in self.site.levels if 0 < level <= line.indent]
            self.columns = min([line.indent, *inner])

    def excludes(self, line: _Line) -> bool:
        facts = self.site.facts
        if facts.family is Family.PROSE or facts.ends_at_semicolon or not self.site.inside.in_code:
            return False
        if line.body.startswith("#") and self.window.language in ("c", "cpp", "csharp", "objective-c"):
            return False
        if self.columns >= 0:
            at_left = line.indent < self.columns
            return at_left or (line.indent == self.columns and self.n_seen > 0 and self._leaves_function(line))
        # The block's first line must stand right of the line that opens it, where indentation makes the block.
        needs_depth = self.inner and line.start_offset > 0 and self.site.facts.family is Family.INDENTATION
        return needs_depth and not self.site.openers and line.indent <= self.site.above_indent

    def _leaves_function(self, line: _Line) -> bool:
        """Say whether a definition starts on the level of the one that the cursor is in."""
        if self.site.facts.family is not Family.INDENTATION or self.site.indent > 0:
            return False
        return self.columns > 0 and self.columns <= self.site.above_indent and bool(_DEFINES.match(line.body))

    def closes(self, line: _Line) -> bool:
        """Say whether a line left of the block ends it and the document lacks that line."""
        if self.site.facts.family not in (Family.KEYWORDS, Family.TAGS):
            return False
        if not _CLOSING_WORD.match(line.body) or line.indent < self.site.above_indent:
            return False
        below = self.site.below
        return not (below and self.site.below_indent == line.indent and _CLOSING_WORD.match(below.strip()))


def cut_scope(draft: Draft, place: Place) -> Outcome:
    """Cut a block where the cursor's block ends; its last line is kept if the document lacks it."""
    if place.shape is not Shape.BLOCK:
        return draft
    end = scope_of(draft.text, place.window, place.site).end_offset
    return draft if end >= len(draft.text) else cut_or_decline(draft, end, DeclineReason.OUT_OF_SCOPE)
