"""One protocol method per file of `lsp/`, or one of the listed groups."""

from __future__ import annotations

import ast

GROUPS = {
    "lifecycle.py": {"types.INITIALIZE", "types.INITIALIZED", "types.WORKSPACE_DID_CHANGE_CONFIGURATION"},
    # Two halves of one answer: what the menu shows, and the edit of the entry chosen.
    "code_action.py": {"types.TEXT_DOCUMENT_CODE_ACTION", "types.CODE_ACTION_RESOLVE"},
    "editor_events.py": {"DID_SHOW", "DID_ACCEPT_PART", "DID_FOCUS"},
    # pygls' own methods, which must be overridden in the protocol class to keep its documents out.
    "protocol.py": {
        "types.EXIT",
        "types.WORKSPACE_EXECUTE_COMMAND",
        "types.TEXT_DOCUMENT_DID_OPEN",
        "types.TEXT_DOCUMENT_DID_CHANGE",
        "types.TEXT_DOCUMENT_DID_CLOSE",
        "types.NOTEBOOK_DOCUMENT_DID_OPEN",
        "types.NOTEBOOK_DOCUMENT_DID_CHANGE",
        "types.NOTEBOOK_DOCUMENT_DID_CLOSE",
    },
}


def test_one_registered_method_per_file_or_a_listed_group(package):
    found = {path.name: _methods(path) for path in sorted((package / "lsp").glob("*.py"))}
    assert sum(map(len, found.values())) > 10, "the search for registered methods is broken"
    unlisted = {name: methods for name, methods in found.items() if len(methods) > 1 and methods != GROUPS.get(name)}
    assert unlisted == {}


def _methods(path):
    """Give what `server.feature(X)` and `@lsp_method(X)` are called with."""
    methods = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("feature", "lsp_method"):
                methods.add(ast.unparse(node.args[0]))
    return methods
