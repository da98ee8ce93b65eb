"""fimble/documentDigest: whether editor and server have the same text, without sending the text."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fimble.lsp.server import FimbleServer

DIGEST = "fimble/documentDigest"


def register(server: FimbleServer) -> None:
    server.feature(DIGEST)(document_digest)


def document_digest(ls: FimbleServer, params: Any) -> dict[str, Any] | None:
    """Answer {uri} with version and SHA-256 of the text as UTF-8.

    None for a document that is not open, or is withheld because its edits came out of order.
    """
    uri = params.get("uri") if isinstance(params, dict) else getattr(params, "uri", None)
    document = ls.documents.get(uri) if isinstance(uri, str) else None
    if document is None:
        return None
    digest = hashlib.sha256(document.text.encode("utf-8", errors="surrogatepass")).hexdigest()
    return {"version": document.version, "n_chars": len(document.text), "sha256": digest}
