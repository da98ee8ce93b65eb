"""A review's remarks as diagnostics, and how they go away again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from fimble.lsp.workspace_edit import range_of

if TYPE_CHECKING:
    from fimble.lsp.action_run import Outcome
    from fimble.lsp.server import FimbleServer

SOURCE = "fimble review"


def publish(ls: FimbleServer, outcome: Outcome) -> None:
    document = outcome.document
    assert document is not None
    diagnostics = [
        types.Diagnostic(
            range=range_of(document, finding.start_offset, finding.end_offset, ls.documents.encoding),
            message=finding.message,
            severity=types.DiagnosticSeverity.Information,
            source=SOURCE,
        )
        for finding in outcome.result.findings
    ]
    ls.reviewed.add(document.uri)
    ls.text_document_publish_diagnostics(
        types.PublishDiagnosticsParams(document.uri, diagnostics, version=document.version)
    )


def has(ls: FimbleServer, uri: str) -> bool:
    return uri in ls.reviewed


def clear(ls: FimbleServer, uri: str | None = None) -> list[str]:
    """Take back the remarks on one document, or on all; gives which had some."""
    uris = sorted(ls.reviewed) if uri is None else [u for u in (uri,) if u in ls.reviewed]
    for name in uris:
        ls.reviewed.discard(name)
        ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(name, []))
    return uris
