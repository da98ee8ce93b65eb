"""What a shim must know to open the same session again: documents, settings, open questions. Sends nothing itself."""

from __future__ import annotations

import json
from typing import Any

Message = dict[str, Any]

FOLD_CHANGES_MIN = 64
"""So few edits are cheaper to send again than to fold."""
FOLD_CHANGES_MAX = 8_192
FOLD_BYTES_MAX = 8_000_000
"""Beyond either the log is folded even while the user types."""

CONTENT_MODIFIED = -32801
"""LSP's error that clients drop in silence and ask again. Source: LSP 3.18, LSPErrorCodes.ContentModified."""


class DocumentLog:
    """A document as its opening message and the edits since, in the bytes the editor sent."""

    def __init__(self, opened: bytes) -> None:
        self.opened = opened
        self.changes: list[bytes] = []
        self.n_change_bytes = 0
        self.is_foldable = True

    def add(self, body: bytes) -> None:
        self.changes.append(body)
        self.n_change_bytes += len(body)

    @property
    def wants_folding(self) -> bool:
        return self.is_foldable and len(self.changes) > FOLD_CHANGES_MIN

    @property
    def must_fold(self) -> bool:
        is_long = len(self.changes) > FOLD_CHANGES_MAX or self.n_change_bytes > FOLD_BYTES_MAX
        return self.is_foldable and is_long


class SessionMemory:
    """Follows one editor's session in both directions.

    `pending` holds requests of the editor that the daemon has not answered, `asked` those of the daemon that
    the editor has not answered.
    """

    def __init__(self) -> None:
        self.initialize: bytes | None = None
        self.initialized: bytes | None = None
        self.is_answered = False
        self.encoding = "utf-16"
        self.configuration: bytes | None = None
        self.others: list[bytes] = []
        self.documents: dict[str, DocumentLog] = {}
        self.notebooks: dict[str, list[bytes]] = {}
        self.pending: dict[Any, str] = {}
        self.asked: set[Any] = set()
        self.registrations: dict[str, str] = {}
        self.open_progress: set[Any] = set()
        self.is_shutting_down = False

    def note_from_editor(self, message: Message, body: bytes) -> None:
        """Take a message that is on its way to the daemon."""
        method = message.get("method")
        if method is None:
            if isinstance(message.get("id"), (str, int)):
                self.asked.discard(message["id"])
            return
        if not isinstance(method, str):
            return
        if "id" in message:
            if isinstance(message["id"], (str, int)):
                self.pending[message["id"]] = method
            if method == "initialize":
                self.initialize = body
            elif method == "shutdown":
                self.is_shutting_down = True
            return
        self._note_notification(method, message.get("params"), body)

    def _note_notification(self, method: str, params: Any, body: bytes) -> None:
        if method == "initialized":
            self.initialized = body
        elif method == "workspace/didChangeConfiguration":
            self.configuration = body
        elif method in ("workspace/didChangeWorkspaceFolders", "$/setTrace"):
            self.others.append(body)
        elif method.startswith("textDocument/did"):
            self._note_document(method, _uri(params, "textDocument"), body)
        elif method.startswith("notebookDocument/did"):
            self._note_notebook(method, _uri(params, "notebookDocument"), body)

    def _note_document(self, method: str, uri: str | None, body: bytes) -> None:
        if uri is None:
            return
        if method == "textDocument/didOpen":
            self.documents[uri] = DocumentLog(body)
        elif method == "textDocument/didClose":
            self.documents.pop(uri, None)
        elif method == "textDocument/didChange" and uri in self.documents:
            self.documents[uri].add(body)

    def _note_notebook(self, method: str, uri: str | None, body: bytes) -> None:
        if uri is None:
            return
        if method == "notebookDocument/didOpen":
            self.notebooks[uri] = [body]
        elif method == "notebookDocument/didClose":
            self.notebooks.pop(uri, None)
        elif method == "notebookDocument/didChange" and uri in self.notebooks:
            self.notebooks[uri].append(body)

    def note_from_daemon(self, message: Message) -> None:
        """Take a message that is on its way to the editor."""
        method = message.get("method")
        if method is None:
            if self.pending.pop(message.get("id"), None) == "initialize":
                self.is_answered = True
                capabilities = (message.get("result") or {}).get("capabilities") or {}
                self.encoding = capabilities.get("positionEncoding") or "utf-16"
            return
        params = message.get("params") or {}
        if "id" in message:
            self.asked.add(message["id"])
            if method == "client/registerCapability":
                self.registrations.update({r["id"]: r["method"] for r in params.get("registrations", ())})
            elif method == "client/unregisterCapability":
                for gone in params.get("unregisterations", ()):
                    self.registrations.pop(gone["id"], None)
        elif method == "$/progress":
            kind = (params.get("value") or {}).get("kind") if isinstance(params.get("value"), dict) else None
            if kind == "begin":
                self.open_progress.add(params.get("token"))
            elif kind == "end":
                self.open_progress.discard(params.get("token"))

    def answers_for_lost(self) -> list[Message]:
        """Give what the editor must hear once its daemon is gone, and forget it.

        Requests under way get an answer, begun progress ends, registrations are taken back (the next daemon
        makes its own). A question may have been what ended the daemon, so none is asked again but `initialize`.
        """
        messages: list[Message] = []
        for request_id, method in list(self.pending.items()):
            if method == "initialize":
                continue
            del self.pending[request_id]
            if method == "shutdown":
                messages.append({"jsonrpc": "2.0", "id": request_id, "result": None})
                continue
            error = {"code": CONTENT_MODIFIED, "message": "the fimble daemon ended before it answered"}
            messages.append({"jsonrpc": "2.0", "id": request_id, "error": error})
        for token in self.open_progress:
            params: Message = {"token": token, "value": {"kind": "end"}}
            messages.append({"jsonrpc": "2.0", "method": "$/progress", "params": params})
        if self.registrations:
            gone = [{"id": id_, "method": method} for id_, method in self.registrations.items()]
            params = {"unregisterations": gone}
            messages.append(
                {"jsonrpc": "2.0", "id": UNREGISTER_ID, "method": "client/unregisterCapability", "params": params}
            )
        self.open_progress.clear()
        self.registrations.clear()
        self.asked.clear()
        return messages

    def replay(self) -> list[bytes]:
        """Give the messages that bring a fresh daemon to this session's state."""
        if self.initialize is None:
            return []
        bodies: list[bytes] = [self.initialize]
        if self.is_answered:
            # The editor has its answer: the second one must not reach it.
            opening = json.loads(self.initialize)
            opening["id"] = REPLAY_ID
            bodies = [json.dumps(opening).encode()]
        bodies += [body for body in (self.initialized, self.configuration) if body is not None]
        bodies += self.others
        for log in self.documents.values():
            bodies += [log.opened, *log.changes]
        for changes in self.notebooks.values():
            bodies += changes
        return bodies

    def fold(self, *, only_must: bool) -> None:
        """Turn long logs into opening messages, so that memory follows the text and not the typing."""
        for uri, log in self.documents.items():
            if log.must_fold if only_must else log.wants_folding:
                from fimble.daemon.folding import folded

                opened = folded(log.opened, log.changes, self.encoding)
                if opened is None:
                    log.is_foldable = False
                else:
                    self.documents[uri] = DocumentLog(opened)


REPLAY_ID = "fimble-shim/initialize"
UNREGISTER_ID = "fimble-shim/unregister"


def _uri(params: Any, key: str) -> str | None:
    """Give the URI in `params[key]`, or None where an editor sent something else."""
    document = params.get(key) if isinstance(params, dict) else None
    uri = document.get("uri") if isinstance(document, dict) else None
    return uri if isinstance(uri, str) else None
