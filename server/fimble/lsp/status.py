"""fimble/status and fimble/statusChanged, and the progress shown while the model loads. Decides nothing."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.capabilities import get_capability

from fimble import __version__
from fimble.completion.limits import derive
from fimble.engine.contract import EngineState
from fimble.log import LOGGER

if TYPE_CHECKING:
    from fimble.lsp.contract import WatchedEngine
    from fimble.lsp.server import FimbleServer

STATUS = "fimble/status"
STATUS_CHANGED = "fimble/statusChanged"
PROGRESS_TITLE = "Loading the model"
MESSAGES = {
    EngineState.UNLOADED: "the model is not loaded",
    EngineState.LOADING: "the model is loading",
    EngineState.READY: "ready",
    EngineState.CLOSED: "stopped",
}
_token_numbers = itertools.count(1)


@dataclass
class Board:
    """What the editor was told last, and of which engine."""

    watched: WatchedEngine | None = None
    in_progress: WatchedEngine | None = None
    published: dict[str, Any] | None = None


def register(server: FimbleServer) -> None:
    server.feature(STATUS)(status)


def status(ls: FimbleServer, params: Any = None) -> dict[str, Any]:
    """Answer `fimble/status`: the state, what the model did since its start, how fast it was measured to be."""
    assert ls.app is not None
    usage = getattr(ls.app.engine, "usage", None)
    return current(ls) | {"usage": usage.totals() if usage is not None else None, "calibration": _calibration(ls)}


def _calibration(ls: FimbleServer) -> dict[str, Any] | None:
    """Give what was measured of the model here and what follows from it; None while it was not, or is not wanted."""
    assert ls.app is not None
    settings, figures = ls.app.settings, ls.app.engine.figures
    if figures is None or not settings.calibrate:
        return None
    limits = derive(settings, figures)
    return figures.as_json() | {
        "target_ms": settings.target_ms,
        "line_ms": round(figures.line_ms, 1),
        "prefix_tokens_max": limits.whole.prefix_tokens,
        "suffix_tokens_max": limits.whole.suffix_tokens,
        "head_tokens_max": limits.head_tokens_max,
        "line_tokens_max": limits.line_tokens_max,
        "delay_ms": limits.delay_ms,
    }


def current(ls: FimbleServer) -> dict[str, Any]:
    """Give the session's state: `state`, `message`, `hint`, `model`, `progress`, `version`, `documents`."""
    assert ls.app is not None
    settings, engine = ls.app.settings, ls.app.engine
    state, message, hint = engine.state.value, MESSAGES.get(engine.state, engine.state.value), None
    if not settings.enabled:
        state, message, hint = "off", "ghost text is off", "set the option `enabled` to true"
    elif engine.error is not None:
        message, hint = engine.error.message, engine.error.hint
    return {
        "state": state,
        "message": message,
        "hint": hint,
        "model": settings.model,
        "progress": None,
        "version": __version__,
        "documents": len(ls.documents.uris),
    }


def watch(ls: FimbleServer) -> None:
    """Tell the editor of the engine's state now and whenever it changes; once per engine."""
    assert ls.app is not None
    engine, loop = ls.app.engine, asyncio.get_running_loop()
    if ls.board.watched is not engine:
        ls.board.watched = engine

        def changed() -> None:
            # Called from the engine's thread, at times when the session is over.
            if not loop.is_closed():
                loop.call_soon_threadsafe(_publish, ls, engine)

        engine.on_state_change(changed)
    _publish(ls, engine)


def _publish(ls: FimbleServer, engine: WatchedEngine) -> None:
    if ls.has_left.is_set() or ls.board.watched is not engine:
        return
    now = current(ls)
    if now == ls.board.published:
        return
    ls.board.published = now
    ls.protocol.notify(STATUS_CHANGED, now)
    if now["state"] in ("missing", "failed"):
        hint = f"; {now['hint']}" if now["hint"] else ""
        LOGGER.warning("%s%s", now["message"], hint)
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"fimble: {now['message']}{hint}"))
    if engine.state is EngineState.LOADING and ls.board.in_progress is not engine:
        ls.board.in_progress = engine
        if get_capability(ls.client_capabilities, "window.work_done_progress", False):
            ls.spawn(_show_progress(ls, engine))


async def _show_progress(ls: FimbleServer, engine: WatchedEngine) -> None:
    """Show a progress that ends when the engine has left `LOADING`."""
    assert ls.app is not None
    token = f"fimble-load-{next(_token_numbers)}"
    settled, loop = asyncio.Event(), asyncio.get_running_loop()

    def changed() -> None:
        if engine.state is not EngineState.LOADING and not loop.is_closed():
            loop.call_soon_threadsafe(settled.set)

    engine.on_state_change(changed)
    changed()
    await ls.work_done_progress.create_async(token)
    begin = types.WorkDoneProgressBegin(title=PROGRESS_TITLE, message=ls.app.settings.model, cancellable=False)
    ls.work_done_progress.begin(token, begin)
    await settled.wait()
    ls.work_done_progress.end(token, types.WorkDoneProgressEnd(message=current(ls)["message"]))
