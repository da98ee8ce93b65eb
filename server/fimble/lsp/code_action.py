"""textDocument/codeAction and codeAction/resolve: what the menu shows, and the edit once one was chosen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.capabilities import get_capability

from fimble.lsp import action_commands, review_diagnostics
from fimble.lsp.action_run import Wanted, load_actions, place_of, run_action, tell
from fimble.lsp.protocol import arrival
from fimble.lsp.workspace_edit import build, can_create_files

if TYPE_CHECKING:
    from fimble.actions.plan import Offer
    from fimble.lsp.server import FimbleServer

OPTIONS = types.CodeActionOptions(
    code_action_kinds=[
        types.CodeActionKind.QuickFix,
        types.CodeActionKind.RefactorRewrite,
        types.CodeActionKind.Source,
    ],
    resolve_provider=True,
)


def register(server: FimbleServer) -> None:
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, OPTIONS)(code_action)
    server.feature(types.CODE_ACTION_RESOLVE)(resolve)


async def code_action(ls: FimbleServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Offer what makes sense here; the model is not asked. Empty while actions are off or the document is unknown."""
    assert ls.app is not None
    document = arrival().document
    if document is None or not ls.app.settings.actions:
        return []
    await load_actions()
    place = place_of(ls, document, params.range, params.context.diagnostics)
    offers = await asyncio.to_thread(ls.app.actions.offers, place)
    wanted = Wanted("", document.uri, params.range, version=document.version)
    actions = [_entry(ls, offer, wanted, params) for offer in offers if _is_asked_for(offer.kind, params.context.only)]
    if review_diagnostics.has(ls, document.uri) and _is_asked_for("source.fimble.clear", params.context.only):
        actions.append(_clear(document.uri))
    return actions


async def resolve(ls: FimbleServer, action: types.CodeAction) -> types.CodeAction:
    """Run the chosen action and fill in its edit; without one, the user is told why."""
    assert ls.app is not None
    wanted = Wanted.of(action.data)
    if wanted is None:
        return action
    outcome = await run_action(ls, wanted)
    if outcome.result.refusal is None and (outcome.result.edits or outcome.result.files):
        assert outcome.document is not None
        action.edit = build(
            outcome.result,
            outcome.document,
            ls.documents.encoding,
            ls.client_capabilities,
            preview=ls.app.settings.action_preview,
        )
    else:
        tell(ls, outcome.result)
    return action


def _entry(ls: FimbleServer, offer: Offer, wanted: Wanted, params: types.CodeActionParams) -> types.CodeAction:
    from fimble.actions.catalogue import BY_NAME

    chosen = wanted.named(offer.action)
    makes = BY_NAME[offer.action].makes
    entry = types.CodeAction(title=offer.title, kind=offer.kind, is_preferred=offer.preferred or None)
    if offer.kind.startswith(types.CodeActionKind.QuickFix.value) and params.context.diagnostics:
        entry.diagnostics = list(params.context.diagnostics)
        chosen = chosen.about([d.message for d in params.context.diagnostics], params.context.diagnostics)
    fits_edit = makes == "edit" or (makes == "files" and can_create_files(ls.client_capabilities))
    if fits_edit and _resolves_edits(ls.client_capabilities):
        entry.data = chosen.as_data()
    else:
        entry.command = types.Command(offer.title, action_commands.RUN, arguments=[chosen.as_data()])
    return entry


def _resolves_edits(capabilities: types.ClientCapabilities) -> bool:
    support: Any = get_capability(capabilities, "text_document.code_action.resolve_support", None)
    data = get_capability(capabilities, "text_document.code_action.data_support", False)
    return bool(data and support is not None and "edit" in support.properties)


def _is_asked_for(kind: str, only: object) -> bool:
    if not isinstance(only, (list, tuple)) or not only:
        return True
    names = [str(getattr(wanted, "value", wanted)) for wanted in only]
    return any(not name or kind == name or kind.startswith(name + ".") for name in names)


def _clear(uri: str) -> types.CodeAction:
    command = types.Command("Clear the review", action_commands.CLEAR_REVIEW, arguments=[uri])
    return types.CodeAction(title="Clear the review", kind="source.fimble.clear", command=command)
