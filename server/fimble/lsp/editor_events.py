"""textDocument/didShowCompletion, didPartiallyAcceptCompletion, didFocus: what Copilot's clients tell of a suggestion.

Counted by `fimble stats`, and nowhere else.
Source: github/copilot-language-server-release: README.md, "Completion telemetry".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fimble.lsp.commands import ACCEPTED

if TYPE_CHECKING:
    from fimble.lsp.server import FimbleServer

DID_SHOW = "textDocument/didShowCompletion"
DID_ACCEPT_PART = "textDocument/didPartiallyAcceptCompletion"
DID_FOCUS = "textDocument/didFocus"


def register(server: FimbleServer) -> None:
    server.feature(DID_SHOW)(did_show)
    server.feature(DID_ACCEPT_PART)(did_accept_part)
    server.feature(DID_FOCUS)(did_focus)


def did_show(ls: FimbleServer, params: Any) -> None:
    """Count a suggestion as drawn."""
    if ls.app is not None and (completion_id := _completion_id(params)) is not None:
        ls.app.completion.displayed(completion_id)


def did_accept_part(ls: FimbleServer, params: Any) -> None:
    """Count a suggestion of which a part was taken; it may still be taken as a whole."""
    if ls.app is not None and (completion_id := _completion_id(params)) is not None:
        ls.app.completion.partly_accepted(completion_id)


def did_focus(ls: FimbleServer, params: Any) -> None:
    """Nothing depends on the focused document; a client that tells it shall not be refused."""


def _completion_id(params: Any) -> str | None:
    """Find our id in the item's command, whatever else the client sends."""
    command = _field(_field(params, "item"), "command")
    arguments = _field(command, "arguments")
    if _field(command, "command") != ACCEPTED or not isinstance(arguments, (list, tuple)) or not arguments:
        return None
    return arguments[0] if isinstance(arguments[0], str) else None


def _field(value: Any, name: str) -> Any:
    """Read a field of what pygls made of an object it has no type for."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)
