"""What the menu offers, and one edit for the entry chosen, with and without resolve."""

from __future__ import annotations

from lsprotocol import types

ADD = "def add(a, b):\n    return a + b\n```\n"
COMMENT = "# 实现一个计算两个数字之和的函数。\n"


def at(line, character, end_line=None, end_character=None):
    end = types.Position(line if end_line is None else end_line, character if end_character is None else end_character)
    return types.Range(types.Position(line, character), end)


async def test_chinese_comment_resolves_to_one_annotated_edit(menu, script, resolving):
    script(ADD)
    menu = await menu(COMMENT, declared=resolving)
    action = await menu.offer("refactor.rewrite.fimble.function", at(0, 3))
    assert action.edit is None and action.is_preferred
    resolved = await menu.resolve(action)
    (change,) = resolved.edit.document_changes
    assert change.text_document.version == 1
    assert menu.edited(COMMENT, change.edits) == COMMENT + "def add(a, b):\n    return a + b\n"
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
    assert menu.edited(COMMENT, applied.edit.changes[menu.uri]) == COMMENT + "def add(a, b):\n    return a + b\n"


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
    script("It is not defined.\n```\ndef f(x):\n    return x\n```\n")
    menu = await menu("def f(x):\n    return y\n", declared=resolving)
    problem = types.Diagnostic(range=at(1, 11, 1, 12), message="undefined name 'y'", source="pyflakes")
    action = await menu.offer("quickfix.fimble", at(1, 11), diagnostics=[problem])
    assert list(action.diagnostics) == [problem]
    resolved = await menu.resolve(action)
    assert (
        menu.edited("def f(x):\n    return y\n", menu.text_edits(resolved.edit)[menu.uri])
        == "def f(x):\n    return x\n"
    )


async def test_answer_that_fails_changes_nothing_and_can_be_looked_at(menu, script, resolving):
    script("def add(a, b):\n    return (a +\n```\n")
    menu = await menu(COMMENT, declared=resolving)
    resolved = await menu.resolve(await menu.offer("refactor.rewrite.fimble.function", at(0, 3)))
    assert resolved.edit is None
    await menu.editor.until(lambda: menu.client.shown_documents)
    assert "nothing was changed" in menu.asked[0]
    assert "return (a +" in (await menu.editor.execute("fimble.showAnswer"))["markdown"]
