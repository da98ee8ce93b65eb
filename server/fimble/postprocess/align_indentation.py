"""Filter: the file's way to indent. Touches leading whitespace only."""

from __future__ import annotations

from fimble.postprocess.draft import Draft, Outcome, Place
from fimble.postprocess.language import Family
from fimble.postprocess.scan import indent_columns
from fimble.postprocess.site import Site, Spot
from fimble.records import CursorWindow

_FIXED_TABS = frozenset({"makefile", "go", "tsv"})


def align_indentation(draft: Draft, place: Place) -> Outcome:
    """Write tabs or spaces as the file does, and put the first line where a line can start."""
    window, site = place.window, place.site
    if not site.inside.in_code or site.facts.family is Family.PROSE:
        return draft
    lines = draft.text.split("\n")
    lines = _unit_style(lines, window, first_is_whole=not window.line_prefix)
    if site.spot in (Spot.OWN_LINE, Spot.ABOVE_LINE) and lines[0].strip():
        lines = _aligned(lines, window, site)
    return draft.with_text("\n".join(lines))


def _unit_style(lines: list[str], window: CursorWindow, first_is_whole: bool) -> list[str]:
    """Rewrite the leading whitespace in the file's unit."""
    tabs_wanted = window.indent_unit == "\t"
    if not tabs_wanted and window.language in _FIXED_TABS:
        return lines
    leads = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines]
    foreign = " " if tabs_wanted else "\t"
    if not any(foreign in lead for lead in leads):
        return lines
    n_unit = _space_unit([lead for line, lead in zip(lines, leads, strict=True) if line.strip()], window)
    result = []
    for index, (line, lead) in enumerate(zip(lines, leads, strict=True)):
        body = line[len(lead) :]
        if foreign not in lead or not body or (index == 0 and not first_is_whole and tabs_wanted):
            result.append(line)
        elif tabs_wanted:
            # Spaces behind tabs align, they don't indent.
            n_tabs = len(lead) - len(lead.lstrip("\t"))
            n_spaces = len(lead) - n_tabs
            n_more = n_spaces // n_unit if n_tabs == 0 else 0
            result.append("\t" * (n_tabs + n_more) + " " * (n_spaces - n_more * n_unit) + body)
        else:
            result.append(lead.replace("\t", window.indent_unit) + body)
    return result


def _space_unit(leads: list[str], window: CursorWindow) -> int:
    """Give how many spaces the model wrote for one level: its smallest step, if that divides the others."""
    widths = [len(lead) for lead in leads if lead and not lead.strip(" ")]
    smallest = min((width for width in widths if width > 1), default=0)
    if smallest in (2, 4, 8) and all(width % smallest == 0 for width in widths):
        return min(smallest, window.tab_width_columns) if smallest > 4 else smallest
    return window.tab_width_columns


def _aligned(lines: list[str], window: CursorWindow, site: Site) -> list[str]:
    """Move the first line to a column where a statement can start; later lines follow if they moved with it."""
    tab_width = window.tab_width_columns
    own = indent_columns(lines[0], tab_width)
    total = site.indent + own
    wanted = _column(total, lines[0].strip(), window, site)
    if wanted == total or wanted < site.indent:
        return lines
    first = _indent(wanted - site.indent, window) + lines[0].lstrip(" \t")
    rest = lines[1:]
    following = next((line for line in rest if line.strip()), "")
    if following and _moved_along(indent_columns(following, tab_width), total, wanted, window, site):
        shift = wanted - total
        rest = [
            _indent(max(0, indent_columns(line, tab_width) + shift), window) + line.lstrip(" \t")
            if line.strip() and indent_columns(line, tab_width) >= total
            else line
            for line in rest
        ]
    return [first, *rest]


def _moved_along(following: int, total: int, wanted: int, window: CursorWindow, site: Site) -> bool:
    """Say whether the second line stands off by as much as the first did."""
    if following < total:
        return False
    unit = indent_columns(window.indent_unit, window.tab_width_columns) or window.tab_width_columns
    fits_as_it_is = following in (wanted, wanted + unit) or following in site.levels
    return not fits_as_it_is


def _column(total: int, body: str, window: CursorWindow, site: Site) -> int:
    """Give the column for a line that would start at `total`."""
    unit = indent_columns(window.indent_unit, window.tab_width_columns) or window.tab_width_columns
    if not site.levels or site.facts.family is Family.TAGS or window.language in ("yaml", "dockercompose"):
        return total
    base = site.above_indent
    if site.opens_block:
        deepest = max(site.indent, base + unit)
        if site.below_indent > base and site.below.strip():
            deepest = max(deepest, site.below_indent)
    elif body.startswith((".", "?.", "&&", "||", "|>", "+ ")):
        deepest = max(site.indent, base + 2 * unit)
    else:
        deepest = max(site.indent, base)
    in_bracket = bool(site.openers) and (site.openers[-1].char != "{" or site.facts.family is Family.INDENTATION)
    if in_bracket:
        return total if site.indent == 0 or total <= deepest else deepest
    if total > deepest:
        return deepest
    if site.facts.family is Family.INDENTATION:
        return _statement_column(total, deepest, site)
    return total


def _statement_column(total: int, deepest: int, site: Site) -> int:
    """Give the column of an open block that is nearest to `total`.

    Source: The Python Language Reference, 2.1.8: a line dedents to the column of a block that is open.
    """
    if site.opens_block:
        return total if total > site.above_indent else deepest
    columns = {deepest, *(level for level in site.levels if level <= deepest)}
    return min(columns, key=lambda column: (abs(column - total), -column))


def _indent(columns: int, window: CursorWindow) -> str:
    """Write an indentation in the file's unit."""
    if window.indent_unit != "\t":
        return " " * columns
    return "\t" * (columns // window.tab_width_columns) + " " * (columns % window.tab_width_columns)
