"""workspace/executeCommand: accepted, explain, status."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from fimble.lsp import status
from fimble.lsp.explanation import readable

if TYPE_CHECKING:
    from fimble.lsp.server import FimbleServer
    from fimble.records import RequestTrace

ACCEPTED = "fimble.accepted"
EXPLAIN = "fimble.explain"
STATUS = "fimble.status"


def register(server: FimbleServer) -> None:
    for name, handler in ((ACCEPTED, accepted), (EXPLAIN, explain), (STATUS, show_status)):
        server.command(name)(handler)


def accepted_command(completion_id: str) -> types.Command:
    """Give the command that an editor runs after the user took a suggestion."""
    return types.Command(title="Suggestion accepted", command=ACCEPTED, arguments=[completion_id])


def accepted(ls: FimbleServer, *arguments: Any) -> None:
    """Count an acceptance; an argument that is no id is ignored."""
    assert ls.app is not None
    if arguments and isinstance(arguments[0], str):
        ls.app.completion.accepted(arguments[0])


def explain(ls: FimbleServer, *arguments: Any) -> dict[str, Any]:
    """Give the last request's trace (of the document named, or of any), as data and as text."""
    uri = arguments[0] if arguments and isinstance(arguments[0], str) else None
    trace = _last_trace(ls, uri)
    if trace is None:
        return {"trace": None, "text": "No completion was asked for yet."}
    return {"trace": _plain(dataclasses.asdict(trace)), "text": readable(trace)}


def show_status(ls: FimbleServer, *_: Any) -> dict[str, Any]:
    return status.status(ls)


def _last_trace(ls: FimbleServer, uri: str | None) -> RequestTrace | None:
    """Give a request that never reached the service if it was the last one, else the service's last."""
    assert ls.app is not None
    early = ls.early_trace
    return early if early and uri in (None, early.uri) else ls.app.completion.explain(uri)


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value
