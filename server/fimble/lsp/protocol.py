"""pygls' protocol with fimble's rules: own documents, snapshots at arrival, answers to what is malformed.

No feature is implemented here.
"""

from __future__ import annotations

import contextvars
import inspect
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.protocol import LanguageServerProtocol, default_converter
from pygls.protocol.json_rpc import JsonRPCNotification, JsonRPCRequestMessage
from pygls.protocol.language_server import lsp_method

from fimble.log import LOGGER
from fimble.lsp import document_sync
from fimble.lsp.stream import INVALID_REQUEST
from fimble.text.document import DocumentSnapshot

if TYPE_CHECKING:
    from fimble.lsp.server import FimbleServer

SERVER_NOT_INITIALIZED = -32002
INVALID_PARAMS = -32602


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a request met when it arrived: its document before any later edit, and what only some editors send."""

    document: DocumentSnapshot | None = None
    indent_unit: str | None = None
    tab_width_columns: int | None = None


_arrival: contextvars.ContextVar[Arrival] = contextvars.ContextVar("arrival", default=Arrival())  # noqa: B039


def arrival() -> Arrival:
    """Give the arrival of the request that the calling task answers."""
    return _arrival.get()


class FimbleProtocol(LanguageServerProtocol):
    """**Invariant:** a request is answered from the snapshot taken at its dispatch.

    pygls starts an `async` handler one turn of the loop late, when a later edit may have been applied, but
    copies the context into its task; so the snapshot travels in a `ContextVar`.
    """

    _server: FimbleServer
    _is_initialized = False

    def receive(self, message: dict[str, Any]) -> None:
        """Take one message as it came; what cannot be understood is refused, if an answer is expected."""
        method, request_id = message.get("method"), message.get("id")
        if not self._is_welcome(method, request_id):
            return
        if method == types.TEXT_DOCUMENT_DID_CHANGE and self._changed(message):
            return
        try:
            structured = self.structure_message(message)
        except JsonRpcException:
            LOGGER.warning("the parameters of `%s` are not understood", method)
            if isinstance(method, str) and request_id is not None:
                self.refuse(INVALID_PARAMS, f"the parameters of `{method}` are not understood", request_id)
            return
        self._is_initialized = self._is_initialized or method == types.INITIALIZE
        token = _arrival.set(self._arrival_of(message.get("params")))
        try:
            self._dispatch(structured)
        finally:
            _arrival.reset(token)

    def _changed(self, message: dict[str, Any]) -> bool:
        """Apply an edit as each key sends one; False: it is left to the long way, on which more is checked."""
        change = None if "id" in message else document_sync.plain_change(message.get("params"))
        if change is None:
            return False
        try:
            self._server.documents.apply(*change)
            self._server.look_at_change(change[0])
        except Exception as error:
            self._server.report_server_error(error, type(error))
        return True

    def _dispatch(self, structured: Any) -> None:
        """Run the handler in a context of its own.

        pygls' `handle_message` asks runtime protocols what kind of message it is, which takes as long as reading it.
        """
        context = contextvars.copy_context()
        if not hasattr(structured, "method"):
            self.handle_message(structured)
        elif hasattr(structured, "id"):
            context.run(self._handle_request, structured.id, structured.method, structured.params)
        else:
            context.run(self._handle_notification, structured.method, structured.params)

    def refuse(self, code: int, reason: str, request_id: str | int | None = None) -> None:
        """Answer with an error; without a known id it goes to nobody in particular, as JSON-RPC wants."""
        if not isinstance(request_id, (str, int)):
            request_id = None
        self._send_body({"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": reason}})

    def _is_welcome(self, method: object, request_id: Any) -> bool:
        """Hold to the order of LSP's lifecycle: initialize once, first; nothing but exit after shutdown."""
        if method == types.INITIALIZE:
            if self._is_initialized:
                self.refuse(INVALID_REQUEST, "the server is initialized already", request_id)
                return False
            return True
        if method is None or method == types.EXIT:
            return True
        if not self._is_initialized:
            if request_id is not None:
                self.refuse(SERVER_NOT_INITIALIZED, "the first request must be `initialize`", request_id)
            return False
        if self._shutdown:
            if request_id is not None:
                self.refuse(INVALID_REQUEST, "the server is shutting down", request_id)
            return False
        return True

    def _arrival_of(self, params: Any) -> Arrival:
        if not isinstance(params, dict):
            return Arrival()
        identifier, formatting = _identifier(params), params.get("formattingOptions")
        uri = identifier.get("uri") if isinstance(identifier, dict) else None
        document = self._server.documents.get(uri) if isinstance(uri, str) else None
        indent_unit, tab_width_columns = _indentation(formatting)
        return Arrival(document, indent_unit, tab_width_columns)

    def _send_body(self, body: dict[str, Any]) -> None:
        if self.writer is not None:
            data = json.dumps(body).encode()
            self.writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: Any) -> None:  # type: ignore[override]
        self._server.leave(0 if self._shutdown else 1)

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(self, params: types.ExecuteCommandParams) -> Any:  # type: ignore[override]
        """Call the command with its arguments as they came; each command looks at its own.

        pygls' version cannot read annotations that exist for the type checker only, and does not hand a
        cancellation on to the command.
        """
        command = self.fm.commands.get(params.command)
        if command is None:
            raise JsonRpcInvalidParams.of(ValueError(f"no command is called `{params.command}`"))
        result = command(*(params.arguments or ()))
        return await result if inspect.isawaitable(result) else result

    # pygls keeps what these give in caches of the class, which hold the last sessions and all their documents.

    def get_message_type(self, method: str) -> type[Any] | None:  # type: ignore[override]
        return types.METHOD_TO_TYPES.get(method, (None, None))[0]

    def get_result_type(self, method: str) -> type[Any] | None:  # type: ignore[override]
        return types.METHOD_TO_TYPES.get(method, (None, None))[1]

    # pygls' own versions keep a second text that splits lines at U+2028 and others.

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        document_sync.did_open(self._server.documents, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        document_sync.did_change(self._server.documents, params)
        self._server.look_at_change(params.text_document.uri)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        document_sync.did_close(self._server.documents, params)
        self._server.forget([params.text_document.uri])

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def lsp_notebook_document__did_open(self, params: types.DidOpenNotebookDocumentParams) -> None:
        document_sync.notebook_did_open(self._server.documents, params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def lsp_notebook_document__did_change(self, params: types.DidChangeNotebookDocumentParams) -> None:
        document_sync.notebook_did_change(self._server.documents, params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def lsp_notebook_document__did_close(self, params: types.DidCloseNotebookDocumentParams) -> None:
        document_sync.notebook_did_close(self._server.documents, params)
        self._server.forget([cell.uri for cell in params.cell_text_documents])


def plain_converter() -> Any:
    """Give pygls' converter, but for methods of no specification: their parameters stay as they came.

    pygls makes a class for each of their messages, which is slow, and garbage that only the collector finds.
    """
    converter = default_converter()  # type: ignore[no-untyped-call]
    for kind in (JsonRPCRequestMessage, JsonRPCNotification):
        converter.register_structure_hook(kind, lambda message, cls: cls(**message))
    return converter


def _identifier(params: dict[str, Any]) -> Any:
    """Give what names the request's document: a code action has it in its data, a command in its first argument."""
    arguments = params.get("arguments")
    argument = arguments[0] if isinstance(arguments, list) and arguments else None
    return params.get("textDocument") or params.get("data") or argument


def _indentation(formatting: Any) -> tuple[str | None, int | None]:
    """Read `{tabSize, insertSpaces}`, which Copilot's clients send along with a request."""
    if not isinstance(formatting, dict):
        return None, None
    width = formatting.get("tabSize")
    if isinstance(width, bool) or not isinstance(width, int) or not 1 <= width <= 32:
        return None, None
    return (" " * width if formatting.get("insertSpaces", True) else "\t"), width
