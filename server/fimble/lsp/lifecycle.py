"""initialize, initialized and configuration changes: when a session's application comes to be and what it is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.capabilities import ServerCapabilitiesBuilder, get_capability
from pygls.exceptions import JsonRpcException

from fimble import log
from fimble.engine.contract import EngineState
from fimble.log import LOGGER
from fimble.lsp import completion_menu, status
from fimble.lsp.configuration import SECTION
from fimble.text.position import Encoding

if TYPE_CHECKING:
    from fimble.lsp.server import FimbleServer

PULL_MS = 1000
"""How long the model's load waits for an editor that does not answer for its settings."""


def register(server: FimbleServer) -> None:
    server.feature(types.INITIALIZE)(initialize)
    server.feature(types.INITIALIZED)(initialized)
    server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)(did_change_configuration)


def initialize(ls: FimbleServer, params: types.InitializeParams) -> None:
    """Settle encoding and settings, before pygls computes the capabilities; the model is not loaded yet."""
    encoding = ServerCapabilitiesBuilder.choose_position_encoding(params.capabilities)
    ls.documents.encoding = Encoding(getattr(encoding, "value", encoding))
    ls.options.read_file()
    ls.options.set_initial(params.initialization_options)
    _set_log_level(ls, ls.options.settings.log_level)
    ls.locale = params.locale or ""
    ls.app = ls.app_factory(ls.options.settings)
    completion_menu.register_for(ls, params.capabilities, ls.app.settings)
    ls.client_name = params.client_info.name if params.client_info else None
    LOGGER.info("client %s, positions in %s", ls.client_name or "unknown", ls.documents.encoding.value)


def initialized(ls: FimbleServer, params: types.InitializedParams) -> None:
    """Begin the session's work; it runs beside the requests, which are answered meanwhile."""
    ls.spawn(_begin(ls))


async def _begin(ls: FimbleServer) -> None:
    """Load the model, now that progress may be shown; before, get the settings where the editor keeps them."""
    assert ls.app is not None
    if get_capability(ls.client_capabilities, "workspace.did_change_configuration.dynamic_registration", False):
        # Without this, VS Code's client library sends no change to a server that pulls.
        ls.register_dynamically(types.WORKSPACE_DID_CHANGE_CONFIGURATION, {"section": SECTION})
    if _can_pull(ls):
        await _pull(ls)
    show_warnings(ls)
    _start(ls)
    status.watch(ls)


def _start(ls: FimbleServer) -> None:
    """Have the model loaded, once, as soon as there is anything that it is wanted for."""
    assert ls.app is not None
    if ls.app.settings.enabled or ls.app.settings.actions:
        ls.app.start()


def did_change_configuration(ls: FimbleServer, params: types.DidChangeConfigurationParams) -> None:
    """Take what was pushed, or pull if the editor only says that something changed.

    Not `async`: what the editor sends right behind it, perhaps in the same read, must find the change made.
    """
    if ls.options.set_changed(params.settings):
        _apply(ls)
    elif _can_pull(ls):
        ls.spawn(_pull(ls))


def _can_pull(ls: FimbleServer) -> bool:
    return bool(get_capability(ls.client_capabilities, "workspace.configuration", False))


async def _pull(ls: FimbleServer) -> None:
    item = types.ConfigurationItem(section=SECTION)
    asked = ls.workspace_configuration_async(types.ConfigurationParams([item]))
    try:
        async with asyncio.timeout(PULL_MS / 1000):
            answers: Any = await asked
    except (JsonRpcException, TimeoutError):
        LOGGER.warning("the client declares `workspace/configuration` but does not answer it")
        return
    if answers and ls.options.set_changed(answers[0], is_section=True):
        _apply(ls)


def _apply(ls: FimbleServer) -> None:
    assert ls.app is not None
    before, after = ls.app.settings, ls.options.settings
    show_warnings(ls)
    if after != before:
        _set_log_level(ls, after.log_level)
        is_renewed = ls.app.apply(after)
        completion_menu.register_late(ls)
        if is_renewed or ls.app.engine.state is EngineState.UNLOADED:
            _start(ls)
        status.watch(ls)


def _set_log_level(ls: FimbleServer, level_name: str) -> None:
    """Take the session's log level, unless other sessions log there too."""
    if ls.owns_process:
        log.configure(level_name)


def show_warnings(ls: FimbleServer) -> None:
    """Show the options that were not taken, all in one message and each once."""
    if warnings := ls.options.take_warnings():
        message = "fimble: " + "; ".join(warnings)
        LOGGER.warning("%s", message)
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Warning, message))
