"""An editor on a real server with a real model: what it asks for, what it is told, what its documents become."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

import pytest
from lsprotocol import types
from pytest_lsp import client_capabilities, make_test_lsp_client

from fimble.models.store import ModelStore

SERVER_DIR = Path(__file__).resolve().parents[2] / "server"
LIMIT_S = 600
SETTINGS = {"action_deadline_ms": 300_000, "delay_ms": 0, "statistics": False}


@pytest.fixture
def installed():
    """Skip, and say so, where a model other than the default is not installed."""

    def check(model_id):
        if model_id not in {model.model_id for model in ModelStore().installed()}:
            pytest.skip(f"not run: `{model_id}` is not installed; `fimble models pull {model_id}`")

    return check


@dataclass
class Outcome:
    """What one action came to: `edits` of the document, `files` it made, `shown` text and remarks."""

    said: dict
    edits: list = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    n_workspace_edits: int = 0
    shown: str = ""
    n_remarks: int = 0

    @property
    def refusal(self):
        return self.said.get("refusal") or ""


class RealEditor:
    """One document in one editor. Edits are recorded, not applied: each action finds the same text."""

    def __init__(self, client) -> None:
        self.client = client
        self._edits: list[types.WorkspaceEdit] = []
        converter = client.protocol._converter
        for union in (types.Command | types.CodeAction, Union[types.Command, types.CodeAction]):  # noqa: UP007
            # lsprotocol takes every code action that has a command for a bare command.
            converter.register_structure_hook(union, lambda raw, _: converter.structure(raw, types.CodeAction))

        @client.feature("workspace/applyEdit")
        def apply(params):
            self._edits.append(params.edit)
            return types.ApplyWorkspaceEditResult(applied=True)

        @client.feature("window/showMessageRequest")
        def ask(params):
            return None

    async def until_ready(self):
        async with asyncio.timeout(LIMIT_S):
            while plain(await self.client.protocol.send_request_async("fimble/status", {}))["state"] != "ready":
                await asyncio.sleep(0.05)

    def open(self, uri, language, text):
        item = types.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    async def chosen(self, kind, uri, where):
        """Take the entry of a kind from the menu and resolve it; gives the edits of the document, or None."""
        context = types.CodeActionContext(diagnostics=[], only=[kind])
        params = types.CodeActionParams(types.TextDocumentIdentifier(uri), where, context)
        offers = await asyncio.wait_for(self.client.text_document_code_action_async(params), LIMIT_S)
        (offer,) = [o for o in offers or () if o.kind == kind]
        resolved = await asyncio.wait_for(self.client.code_action_resolve_async(offer), LIMIT_S)
        return None if resolved.edit is None else parts(resolved.edit, uri)[0]

    async def run(self, name, uri, where, **more):
        """Run an action by its command."""
        self._edits.clear()
        place = {k: {"line": p.line, "character": p.character} for k, p in (("start", where.start), ("end", where.end))}
        argument = {"name": name, "uri": uri, "range": place} | more
        params = types.ExecuteCommandParams(command="fimble.action", arguments=[argument])
        async with asyncio.timeout(LIMIT_S):
            said = plain(await self.client.workspace_execute_command_async(params))
        outcome = Outcome(said, n_workspace_edits=len(self._edits), shown=said.get("markdown") or "")
        outcome.n_remarks = said.get("findings") or 0
        for edit in self._edits:
            outcome.edits, outcome.files = parts(edit, uri)
        return outcome


def parts(edit, uri):
    """Give the edits of the document, and the text of each other file that the edit makes or changes."""
    edits, files = [], {}
    for change in edit.document_changes or ():
        if isinstance(change, types.CreateFile):
            files.setdefault(change.uri, "")
        elif change.text_document.uri == uri:
            edits += change.edits
        else:
            files[change.text_document.uri] = "".join(e.new_text for e in change.edits)
    for changed, found in (edit.changes or {}).items():
        assert changed == uri
        edits += found
    return edits, files


def plain(value):
    """Give dicts for the named tuples that pygls makes of untyped objects."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture
def capable():
    """Capabilities of a client that resolves edits and can create files."""
    capabilities = client_capabilities("visual_studio_code")
    capabilities.text_document.code_action = types.CodeActionClientCapabilities(
        data_support=True, resolve_support=types.ClientCodeActionResolveOptions(properties=["edit"])
    )
    capabilities.workspace.workspace_edit = types.WorkspaceEditClientCapabilities(
        document_changes=True, resource_operations=[types.ResourceOperationKind.Create]
    )
    capabilities.window = types.WindowClientCapabilities()
    return capabilities


@pytest.fixture
async def real_editor(capable):
    """Start an editor on a server with the model `model_id`."""
    clients = []

    async def begin(model_id, **settings):
        client = make_test_lsp_client()
        command = [sys.executable, "-m", "fimble", "serve", "--no-share", "--set", f"model={model_id}"]
        await client.start_io(*command, env=os.environ | {"PYTHONPATH": str(SERVER_DIR)})
        clients.append(client)
        options = SETTINGS | settings
        params = types.InitializeParams(capabilities=capable, initialization_options=options)
        await asyncio.wait_for(client.initialize_session(params), LIMIT_S)
        editor = RealEditor(client)
        await editor.until_ready()
        return editor

    yield begin
    for client in clients:
        await asyncio.wait_for(client.shutdown_session(), LIMIT_S)
        await client.stop()
