"""Finds the names that the lines below the cursor use and nothing defines. Parses Python; runs nothing."""

from __future__ import annotations

import ast
import builtins
import re
from functools import lru_cache

from fimble.postprocess.parse import Region, parsed, region_of
from fimble.postprocess.site import survey
from fimble.records import CursorWindow

_WORD = re.compile(r"[^\W\d]\w*")
_KNOWN = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "self", "cls"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@lru_cache(maxsize=16)
def needed_names(window: CursorWindow) -> tuple[str, ...]:
    """Give the names that the cursor's line has to define, in the order of their use.

    Only what stands below in the same function counts, and not what is only called: functions are often written
    after their use. A name that stands anywhere outside the statement around the cursor is taken as defined
    there, and so is any name where the window does not show the file's start, where imports stand, unless it is
    counted up: only a local name can be.
    """
    if window.language != "python" or window.line_suffix.strip():
        return ()
    region = region_of(window)
    if region is None or not region.behind.strip():
        return ()
    tree = _with_placeholder(window, region)
    if tree is None:
        return ()
    n_line = region.before.count("\n") + 1
    scope = _scope_of(tree, n_line)
    bound = _bound(tree)
    if "import *" in region.elsewhere or "*" in bound:
        return ()  # any name may come from there
    elsewhere = set(_WORD.findall(region.elsewhere))
    needed: dict[str, None] = {}
    for name, is_counted in _used_below(scope, n_line):
        is_hidden = window.starts_document or is_counted
        if is_hidden and name not in bound and name not in elsewhere and name not in _KNOWN:
            needed[name] = None
    return tuple(needed)


def defined_names(line: str) -> frozenset[str]:
    """Give the names that a line, or the head of a block, binds."""
    code = line.strip()
    block = f"{code}\n    pass"
    for source in (code, block, f"if True:\n    pass\n{block}", f"try:\n    pass\n{block}"):
        tree = parsed(source)
        if tree is not None:
            return frozenset(_bound(tree))
    match = re.match(r"([^\W\d]\w*)\s*(?::[^=]*)?=(?!=)", code)
    return frozenset({match.group(1)}) if match else frozenset()


def _with_placeholder(window: CursorWindow, region: Region) -> ast.Module | None:
    """Parse the statement around the cursor with something harmless on the cursor's line; None if none fits."""
    site = survey(window)
    columns = (site.below_indent, site.above_indent, *site.levels)
    indents = [window.line_prefix] if window.line_prefix else [" " * n for n in dict.fromkeys(columns)]
    for indent in indents:
        for harmless in ("pass", "if True:"):
            tree = parsed(region.before + indent + harmless + region.behind)
            if tree is not None:
                return tree
    return None


def _scope_of(tree: ast.Module, n_line: int) -> ast.AST:
    """Give the innermost function around a line, or the module."""
    found: ast.AST = tree
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS) and node.lineno < n_line <= (node.end_lineno or 0):
            found = node
    return found


def _bound(tree: ast.AST) -> set[str]:
    """Give every name that anything in the tree binds; `x += 1` binds none, since it needs one."""
    names: set[str] = set()
    counted = _counted(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and id(node) not in counted:
            names.add(node.id)
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            names.update(node.names)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            names.add(node.name)
    return names


def _counted(tree: ast.AST) -> set[int]:
    """Give the identities of the nodes that are counted up, as `x` in `x += 1` is."""
    return {id(node.target) for node in ast.walk(tree) if isinstance(node, ast.AugAssign)}


def _used_below(scope: ast.AST, n_line: int) -> list[tuple[str, bool]]:
    """Give the names used below a line, in order, and whether each is counted up there."""
    counted = _counted(scope)
    called = {id(node.func) for node in ast.walk(scope) if isinstance(node, ast.Call)}
    used = [
        (node.lineno, node.col_offset, node.id, id(node) in counted)
        for node in ast.walk(scope)
        if isinstance(node, ast.Name)
        and node.lineno > n_line
        and id(node) not in called
        and (isinstance(node.ctx, ast.Load) or id(node) in counted)
    ]
    return [(name, is_counted) for _, _, name, is_counted in sorted(used)]
