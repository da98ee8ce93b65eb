"""Prose for the user: as a document where the editor can show one, as a message else, and on hover afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

from fimble.log import LOGGER
from fimble.lsp.protocol import arrival
from fimble.text.location import uri_of

if TYPE_CHECKING:
    from fimble.lsp.action_run import Outcome, Wanted
    from fimble.lsp.server import FimbleServer

MESSAGE_CHARS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was said of a stretch of one version of a document."""

    version: int
    range: types.Range
    markdown: str


def register(server: FimbleServer) -> None:
    server.feature(types.TEXT_DOCUMENT_HOVER)(hover)


def remember(ls: FimbleServer, wanted: Wanted, outcome: Outcome) -> None:
    """Keep an explanation for hover, until the document changes."""
    if outcome.document is not None:
        ls.explanations[wanted.uri] = Explanation(outcome.document.version, wanted.range, outcome.result.markdown)


def hover(ls: FimbleServer, params: types.HoverParams) -> types.Hover | None:
    """Give the explanation that was asked for at this place; nothing where none was."""
    said, document = ls.explanations.get(params.text_document.uri), arrival().document
    if said is None or document is None or said.version != document.version:
        return None
    if not said.range.start.line <= params.position.line <= said.range.end.line:
        return None
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, said.markdown), said.range)


async def show(ls: FimbleServer, name: str, markdown: str) -> None:
    """Show `markdown`: as a file in the user's cache, the same one each time, or in a message."""
    if get_capability(ls.client_capabilities, "window.show_document.support", False):
        path = Path(platformdirs.user_cache_dir("fimble")) / "shown" / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(path.name + ".new")
            fresh.write_text(markdown, encoding="utf-8", errors="replace")
            fresh.replace(path)
            await ls.window_show_document_async(types.ShowDocumentParams(uri_of(path), take_focus=False))
            return
        except (OSError, JsonRpcException) as error:
            LOGGER.warning("cannot show a document: %s", type(error).__name__)
    text = markdown if len(markdown) <= MESSAGE_CHARS_MAX else markdown[:MESSAGE_CHARS_MAX] + "…"
    ls.window_show_message(types.ShowMessageParams(types.MessageType.Info, text))
