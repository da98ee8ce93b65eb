"""The code-action side of an editor, and what the two kinds of client can."""

from __future__ import annotations

import asyncio
from typing import Union

import pytest
from lsprotocol import types
from pytest_lsp import client_capabilities

LIMIT_S = 20


class Menu:
    """The code-action side of an editor: what it was told, and what it made of its documents."""

    def __init__(self, editor, uri="file:///project/sample.py"):
        self.editor, self.client, self.uri = editor, editor.client, uri
        self.applied, self.asked = [], []
        self.takes_edits = True
        converter = self.client.protocol._converter
        # lsprotocol takes every code action that has a command for a bare command.
        converter.register_structure_hook(
            types.Command | types.CodeAction, lambda raw, _: converter.structure(raw, types.CodeAction)
        )
        converter.register_structure_hook(
            Union[types.Command, types.CodeAction],  # noqa: UP007
            lambda raw, _: converter.structure(raw, types.CodeAction),
        )

        @self.client.feature("workspace/applyEdit")
        def apply(params):
            self.applied.append(params)
            return types.ApplyWorkspaceEditResult(applied=self.takes_edits)

        @self.client.feature("window/showMessageRequest")
        def ask(params):
            self.asked.append(params.message)
            return params.actions[0]

    @property
    def progress(self):
        """The progress of actions, in order; the model's load has one of its own."""
        reports = self.client.progress_reports.items()
        return [report for token, found in reports if str(token).startswith("fimble-action") for report in found]

    async def offers(self, where, *, only=None, diagnostics=()):
        params = types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(self.uri),
            range=where,
            context=types.CodeActionContext(diagnostics=list(diagnostics), only=only),
        )
        answer = await asyncio.wait_for(self.client.text_document_code_action_async(params), LIMIT_S)
        return answer or []

    async def offer(self, kind, where, **context):
        return next(o for o in await self.offers(where, **context) if o.kind == kind)

    async def resolve(self, action):
        return await asyncio.wait_for(self.client.code_action_resolve_async(action), LIMIT_S)

    async def run(self, name, where, **more):
        ends = {"start": where.start, "end": where.end}
        place = {k: {"line": p.line, "character": p.character} for k, p in ends.items()}
        argument = {"name": name, "uri": self.uri, "range": place} | more
        # Not `wait_for`, whose task of its own would send the request a turn later.
        async with asyncio.timeout(LIMIT_S):
            return await self.editor.execute("fimble.action", argument)

    @staticmethod
    def text_edits(workspace_edit):
        """Give the edits of a WorkspaceEdit by URI, and check that it is one of the two forms."""
        if workspace_edit.changes is not None:
            return dict(workspace_edit.changes)
        return {c.text_document.uri: c.edits for c in workspace_edit.document_changes if hasattr(c, "edits")}

    @staticmethod
    def edited(text, edits):
        """Give the text after LSP edits, all of which mean the old text."""
        lines = text.split("\n")
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)

        def offset(position):
            # The texts here have no astral characters: a UTF-16 unit is a character.
            return min(starts[position.line] + position.character, len(text))

        for edit in sorted(edits, key=lambda e: offset(e.range.start), reverse=True):
            text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
        return text


@pytest.fixture
def menu_of():
    """Give the menu of an editor that a test started itself."""
    return Menu


@pytest.fixture
def menu(start):
    async def begin(text, *arguments, language="python", uri="file:///project/sample.py", **more):
        editor = await start(*arguments, **more)
        menu = Menu(editor, uri)
        await editor.until_ready()
        editor.open(text, uri=uri, language=language)
        return menu

    return begin


@pytest.fixture
def capabilities():
    """Each test says what its client can."""


@pytest.fixture
def resolving():
    """Capabilities of a client that resolves edits, shows progress and documents, and knows annotations."""
    capabilities = client_capabilities("visual_studio_code")
    capabilities.text_document.inline_completion = types.InlineCompletionClientCapabilities()
    capabilities.text_document.code_action = types.CodeActionClientCapabilities(
        data_support=True, resolve_support=types.ClientCodeActionResolveOptions(properties=["edit"])
    )
    capabilities.workspace.workspace_edit = types.WorkspaceEditClientCapabilities(
        document_changes=True,
        resource_operations=[types.ResourceOperationKind.Create],
        change_annotation_support=types.ChangeAnnotationsSupportOptions(),
    )
    capabilities.window = types.WindowClientCapabilities(
        work_done_progress=True,
        show_document=types.ShowDocumentClientCapabilities(support=True),
        show_message=types.ShowMessageRequestClientCapabilities(),
    )
    return capabilities


@pytest.fixture
def plain_client():
    """Capabilities of a client that knows nothing beyond commands and plain edits."""
    capabilities = client_capabilities("neovim")
    capabilities.text_document.inline_completion = types.InlineCompletionClientCapabilities()
    capabilities.text_document.code_action = types.CodeActionClientCapabilities()
    capabilities.general.position_encodings = [types.PositionEncodingKind.Utf16]
    capabilities.workspace = types.WorkspaceClientCapabilities(apply_edit=True)
    capabilities.window = types.WindowClientCapabilities()
    return capabilities
