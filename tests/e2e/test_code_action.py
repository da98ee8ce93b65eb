"""Code actions through a real server process: the menu, resolve, commands, progress, cancellation, reviews."""

from __future__ import annotations

import asyncio
from typing import Union

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import client_capabilities

ADD = "def add(a, b):\n    return a + b\n```\n"
COMMENT = "# 实现一个计算两个数字之和的函数。\n"
LIMIT_S = 20


def at(line, character, end_line=None, end_character=None):
    end = types.Position(line if end_line is None else end_line, character if end_character is None else end_character)
    return types.Range(types.Position(line, character), end)


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


def text_edits(workspace_edit):
    """Give the edits of a WorkspaceEdit by URI, and check that it is one of the two forms."""
    if workspace_edit.changes is not None:
        return dict(workspace_edit.changes)
    return {c.text_document.uri: c.edits for c in workspace_edit.document_changes if hasattr(c, "edits")}


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


async def test_chinese_comment_resolves_to_one_annotated_edit(menu, script, resolving):
    script(ADD)
    menu = await menu(COMMENT, declared=resolving)
    action = await menu.offer("refactor.rewrite.fimble.function", at(0, 3))
    assert action.edit is None and action.is_preferred
    resolved = await menu.resolve(action)
    (change,) = resolved.edit.document_changes
    assert change.text_document.version == 1
    assert edited(COMMENT, change.edits) == COMMENT + "def add(a, b):\n    return a + b\n"
    assert resolved.edit.change_annotations["fimble"].needs_confirmation
    kinds = [report.kind for report in menu.progress]
    assert kinds[0] == "begin" and kinds[-1] == "end"


async def test_client_without_resolve_gets_a_command_and_one_plain_edit(menu, script, plain_client):
    script(ADD)
    menu = await menu(COMMENT, declared=plain_client)
    action = await menu.offer("refactor.rewrite.fimble.function", at(0, 3))
    assert action.data is None
    said = await menu.editor.execute(action.command.command, *action.command.arguments)
    assert said["applied"]
    (applied,) = menu.applied
    assert edited(COMMENT, applied.edit.changes[menu.uri]) == COMMENT + "def add(a, b):\n    return a + b\n"


async def test_menu_asks_no_model_and_obeys_only(menu, script, resolving):
    script({"text": "x", "prefill_ms": 60_000})
    menu = await menu("def f(x):\n    return x\n", declared=resolving)
    kinds = [o.kind for o in await menu.offers(at(1, 4))]
    assert "source.fimble.explain" in kinds and "refactor.rewrite.fimble.document" in kinds
    only = [o.kind for o in await menu.offers(at(1, 4), only=[types.CodeActionKind.RefactorRewrite])]
    assert only and all(kind.startswith("refactor.rewrite.") for kind in only)
    assert await menu.offers(at(1, 4), only=[types.CodeActionKind.SourceOrganizeImports]) == []


async def test_nothing_is_offered_when_off(menu, plain_client):
    menu = await menu(COMMENT, declared=plain_client, options={"actions": False})
    assert await menu.offers(at(0, 3)) == []


async def test_diagnostic_of_another_server_gets_a_quick_fix(menu, script, resolving):
    script("def f(x):\n    return x\n```\n")
    menu = await menu("def f(x):\n    return y\n", declared=resolving)
    problem = types.Diagnostic(range=at(1, 11, 1, 12), message="undefined name 'y'", source="pyflakes")
    action = await menu.offer("quickfix.fimble", at(1, 11), diagnostics=[problem])
    assert list(action.diagnostics) == [problem]
    resolved = await menu.resolve(action)
    assert edited("def f(x):\n    return y\n", text_edits(resolved.edit)[menu.uri]) == "def f(x):\n    return x\n"


async def test_answer_that_fails_changes_nothing_and_can_be_looked_at(menu, script, resolving):
    script("def add(a, b):\n    return (a +\n```\n")
    menu = await menu(COMMENT, declared=resolving)
    resolved = await menu.resolve(await menu.offer("refactor.rewrite.fimble.function", at(0, 3)))
    assert resolved.edit is None
    await menu.editor.until(lambda: menu.client.shown_documents)
    assert "nothing was changed" in menu.asked[0]
    assert "return (a +" in (await menu.editor.execute("fimble.showAnswer"))["markdown"]


async def test_edit_made_meanwhile_elsewhere_moves_the_change(menu, script, plain_client):
    script({"text": ADD, "token_ms": 60})
    menu = await menu(COMMENT, declared=plain_client)
    running = asyncio.create_task(menu.run("function", at(0, 3)))
    await asyncio.sleep(0)
    menu.editor.change(2, "import os\n\n\n", (0, 0))
    said = await running
    assert said["done"], said
    new = "import os\n\n\n" + COMMENT
    assert edited(new, menu.applied[0].edit.changes[menu.uri]) == new + "def add(a, b):\n    return a + b\n"


async def test_edit_made_meanwhile_at_the_place_is_never_overwritten(menu, script, plain_client):
    script({"text": "    return 2\n```\n", "prefill_ms": 300})
    text = "def f():\n    pass\n"
    menu = await menu(text, declared=plain_client)
    running = asyncio.create_task(menu.run("function", at(1, 4)))
    await asyncio.sleep(0)
    menu.editor.change(2, "return 1", (1, 4), (1, 8))
    said = await running
    assert (said["done"], said["refusal"]) == (False, "document-changed")
    assert menu.applied == []


async def test_document_closed_meanwhile(menu, script, plain_client):
    script({"text": ADD, "prefill_ms": 300})
    menu = await menu(COMMENT, declared=plain_client)
    running = asyncio.create_task(menu.run("function", at(0, 3)))
    await asyncio.sleep(0)
    identifier = types.TextDocumentIdentifier(menu.uri)
    menu.client.text_document_did_close(types.DidCloseTextDocumentParams(identifier))
    assert (await running)["refusal"] == "document-closed"


async def test_editor_that_takes_no_edit_is_believed(menu, script, plain_client):
    script(ADD)
    menu = await menu(COMMENT, declared=plain_client)
    menu.takes_edits = False
    said = await menu.run("function", at(0, 3))
    assert (said["applied"], said["refusal"]) == (False, "not-applied")
    await menu.editor.until(lambda: menu.client.messages)


async def test_cancelled_request_stops_the_engine(menu, script, resolving):
    script({"text": "def add(a, b):\n" + "    a = a + b\n" * 500, "token_ms": 20}, {"text": "x", "when": "ghost"})
    menu = await menu(COMMENT, declared=resolving)
    action = await menu.offer("refactor.rewrite.fimble.function", at(0, 3))
    running = menu.client.protocol.send_request("codeAction/resolve", action, msg_id="to-cancel")
    await menu.editor.until(lambda: menu.progress)
    menu.client.cancel_request(types.CancelParams(id="to-cancel"))
    with pytest.raises((JsonRpcException, asyncio.CancelledError)):
        await asyncio.wait_for(asyncio.wrap_future(running), LIMIT_S)
    await menu.editor.until(lambda: [report for report in menu.progress if report.kind == "end"])
    assert menu.applied == []


async def test_cancelled_progress_stops_the_action(menu, script, resolving):
    script({"text": "def add(a, b):\n" + "    a = a + b\n" * 500, "token_ms": 20})
    menu = await menu(COMMENT, declared=resolving)

    running = asyncio.create_task(menu.run("function", at(0, 3)))
    await menu.editor.until(lambda: [report for report in menu.progress if report.kind == "report"])
    token = next(t for t in menu.client.progress_reports if str(t).startswith("fimble-action"))
    menu.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
    assert (await running)["refusal"] == "cancelled"


async def test_review_is_published_offered_for_clearing_and_cleared(menu, script, resolving):
    script("2: divides by zero\n")
    menu = await menu("def f(x):\n    return 1 / x\n", declared=resolving)
    said = await menu.run("review", at(1, 4))
    assert said["findings"] == 1
    await menu.editor.until(lambda: menu.client.diagnostics.get(menu.uri))
    (remark,) = menu.client.diagnostics[menu.uri]
    assert (remark.message, remark.source, remark.range.start.line) == ("divides by zero", "fimble review", 1)
    clear = await menu.offer("source.fimble.clear", at(1, 4))
    assert (await menu.editor.execute(clear.command.command, *clear.command.arguments))["cleared"] == [menu.uri]
    await menu.editor.until(lambda: not menu.client.diagnostics[menu.uri])


async def test_explanation_is_shown_as_a_document_and_on_hover(menu, script, resolving):
    script("It divides one by x.\n")
    menu = await menu("def f(x):\n    return 1 / x\n", declared=resolving)
    said = await menu.run("explain", at(0, 0, 1, 16))
    assert said["markdown"] == "It divides one by x.\n"
    assert len(menu.client.shown_documents) == 1
    params = types.HoverParams(types.TextDocumentIdentifier(menu.uri), types.Position(1, 4))
    hover = await menu.client.text_document_hover_async(params)
    assert hover.contents.value == "It divides one by x.\n"
    menu.editor.change(2, "# new\n", (0, 0))
    assert await menu.client.text_document_hover_async(params) is None


async def test_tests_are_a_new_file_in_the_same_edit(menu, script, resolving, tmp_path):
    (tmp_path / "project" / "tests").mkdir(parents=True)
    (tmp_path / "project" / "pyproject.toml").touch()
    uri = (tmp_path / "project" / "calc.py").as_uri()
    script("add():\n    assert add(1, 2) == 3\n```\n")
    menu = await menu("def add(a, b):\n    return a + b\n", uri=uri, declared=resolving)
    resolved = await menu.resolve(await menu.offer("source.fimble.tests", at(1, 4)))
    create, edit = resolved.edit.document_changes
    assert create.uri == (tmp_path / "project" / "tests" / "test_calc.py").as_uri()
    wanted = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
    assert edited("", edit.edits) == wanted


async def test_crlf_document_gets_crlf(menu, script, plain_client):
    script(ADD)
    menu = await menu("# Add two numbers.\r\nx = 1\r\n", declared=plain_client)
    assert (await menu.run("function", at(0, 3)))["applied"]
    new_text = "".join(e.new_text for e in menu.applied[0].edit.changes[menu.uri])
    assert new_text == "\r\ndef add(a, b):\r\n    return a + b\r\n"


@pytest.mark.parametrize(
    "argument", [None, 3, {}, {"name": "function"}, {"name": "no-such", "uri": "file:///x", "range": None}]
)
async def test_malformed_command_is_answered(menu, plain_client, argument):
    menu = await menu(COMMENT, declared=plain_client)
    said = await menu.editor.execute("fimble.action", argument)
    assert not said["done"] and said["message"]


async def test_unknown_action_names_the_known_ones(menu, plain_client):
    menu = await menu(COMMENT, declared=plain_client)
    said = await menu.run("documnt", at(0, 3))
    assert said["refusal"] == "unknown-action"
    assert "did you mean `document`" in said["hint"]


async def test_action_while_the_model_loads(start, script, plain_client):
    script(ADD, load_ms=3_000)
    editor = await start(declared=plain_client)
    menu = Menu(editor)
    editor.open(COMMENT)
    assert (await menu.run("function", at(0, 3)))["refusal"] == "model-loading"


async def test_ghost_text_is_not_held_up_by_an_action(menu, script, plain_client):
    script({"text": "def add(a, b):\n" + "    a = a + b\n" * 100 + "```", "token_ms": 10, "when": "asks for"}, "42")
    menu = await menu("x = \n\n\n" + COMMENT, declared=plain_client)
    running = asyncio.create_task(menu.run("function", at(3, 3)))
    await asyncio.sleep(0)
    items = await menu.editor.ghost(0, 4, invoked=True)
    assert not running.done() and items[0].insert_text == "42"
    assert (await running)["applied"]
