"""One editor's session: what it has open, what it set, and which methods it may call. No method is answered here."""

from __future__ import annotations

import asyncio
import threading
import traceback
from collections.abc import Coroutine, Mapping
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcMethodNotFound
from pygls.lsp.server import LanguageServer

from fimble import __version__
from fimble.errors import render
from fimble.log import LOGGER
from fimble.lsp import (
    action_commands,
    action_report,
    code_action,
    commands,
    document_digest,
    editor_events,
    inline_completion,
    lifecycle,
    review_diagnostics,
    shown,
    status,
)
from fimble.lsp.configuration import OptionLayers
from fimble.lsp.contract import App, AppFactory
from fimble.lsp.document_sync import NOTEBOOK_SYNC
from fimble.lsp.edit_outcome import EditOutcomes
from fimble.lsp.protocol import FimbleProtocol, plain_converter
from fimble.lsp.stream import StreamError, pump
from fimble.records import RequestTrace
from fimble.statistics.tally import Event
from fimble.text.store import DocumentStore

CLOSE_MS = 1500
"""How long a session's end may wait for the engine; shutdown promises 2 s in all."""


class FimbleServer(LanguageServer):
    """The server of one session.

    `owns_process` is false where other sessions share the process: then what is the process's, its log level,
    is left alone. `app` exists from `initialize` on. `early_trace` is the last request if it ended before the service,
    `last_answer` what the model said to the last code action, `reviewed` the documents that have remarks.
    """

    protocol: FimbleProtocol

    def __init__(self, app_factory: AppFactory, options: OptionLayers, *, owns_process: bool = True) -> None:
        super().__init__(
            "fimble",
            __version__,
            notebook_document_sync=NOTEBOOK_SYNC,
            protocol_cls=FimbleProtocol,
            converter_factory=plain_converter,
        )
        self.app_factory = app_factory
        self.options = options
        self.owns_process = owns_process
        self.documents = DocumentStore()
        self.app: App | None = None
        self.board = status.Board()
        self.early_trace: RequestTrace | None = None
        self.has_left = asyncio.Event()
        self.exit_code = 0
        self.locale = ""
        self.last_answer = ""
        self.reviewed: set[str] = set()
        self.explanations: dict[str, shown.Explanation] = {}
        self.client_name: str | None = None
        self.edit_outcomes = EditOutcomes(self.count)
        self._tasks: set[asyncio.Task[None]] = set()

    def leave(self, exit_code: int) -> None:
        """End the session; the first reason counts."""
        if not self.has_left.is_set():
            self.exit_code = exit_code
            self.has_left.set()

    def forget(self, uris: list[str]) -> None:
        """Let the service drop what it holds of closed documents."""
        if self.app is not None:
            for uri in uris:
                self.app.completion.closed(uri)
                review_diagnostics.clear(self, uri)
                self.explanations.pop(uri, None)
                self.edit_outcomes.closed(uri)

    def count(self, name: str, language: str, event: Event) -> None:
        """Count what became of an action."""
        if self.app is not None:
            self.app.tally.count(name, language, event)

    def look_at_change(self, uri: str) -> None:
        """See what a change makes of the last action's edit."""
        if not self.edit_outcomes.watches(uri):
            return
        document = self.documents.get(uri)
        if document is not None:
            self.edit_outcomes.changed(uri, document.text)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the requests and log what goes wrong in it."""
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            self.report_server_error(error, type(error))

    def register_dynamically(self, method: str, options: Any) -> None:
        """Tell the editor, which must declare that it listens, of a method that it may call from now on."""
        registration = types.Registration(id=f"fimble-{method}", method=method, register_options=options)
        self.spawn(self._register(registration))

    async def _register(self, registration: types.Registration) -> None:
        try:
            await self.client_register_capability_async(types.RegistrationParams([registration]))
        except JsonRpcException:
            LOGGER.warning("the client declares dynamic registration of %s but refuses it", registration.method)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log where it happened; an exception's message may hold document text and stays out."""
        if isinstance(error, JsonRpcMethodNotFound):
            LOGGER.debug("the client asked for an unknown method")
            return
        cause = error.__cause__ or error
        places = traceback.extract_tb(cause.__traceback__)
        where = f" at {places[-1].filename}:{places[-1].lineno}" if places else ""
        LOGGER.error("a request or notification failed: %s%s", type(cause).__name__, where)

    async def serve(self, reader: asyncio.StreamReader, writer: Any) -> int:
        """Answer one editor until it leaves; gives the exit code.

        0 after `shutdown` and `exit`, or when the editor is gone; 1 for `exit` alone or a stream that is not LSP.
        """
        self.protocol.set_writer(writer)
        pumping = asyncio.ensure_future(pump(reader, self.protocol, self.has_left.is_set))
        leaving = asyncio.ensure_future(self.has_left.wait())
        await asyncio.wait({pumping, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if pumping.done() and (error := pumping.exception()) is not None:
            if not isinstance(error, StreamError):
                raise error
            LOGGER.error("%s", render(error))
            self.leave(1)
        self.leave(0)
        pumping.cancel()
        await self._close()
        return self.exit_code

    async def _close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        for future in list(self.protocol._request_futures.values()):
            future.cancel()
        if self.app is None:
            return
        loop, is_closed = asyncio.get_running_loop(), asyncio.Event()

        def close(app: App) -> None:
            app.close()
            if not loop.is_closed():
                loop.call_soon_threadsafe(is_closed.set)

        # A daemon thread, not the loop's executor: asyncio waits for that one to the end.
        threading.Thread(target=close, args=(self.app,), name="fimble-close", daemon=True).start()
        try:
            async with asyncio.timeout(CLOSE_MS / 1000):
                await is_closed.wait()
        except TimeoutError:
            LOGGER.warning("the engine did not stop within %d ms", CLOSE_MS)


def create_server(
    app_factory: AppFactory, flags: Mapping[str, Any] | None = None, *, owns_process: bool = True
) -> FimbleServer:
    """Give a server for one session, with every method registered; `flags` are options of the command line."""
    server = FimbleServer(app_factory, OptionLayers(flags or {}), owns_process=owns_process)
    for room in (
        lifecycle,
        inline_completion,
        commands,
        document_digest,
        editor_events,
        status,
        code_action,
        action_commands,
        action_report,
        shown,
    ):
        room.register(server)
    return server
