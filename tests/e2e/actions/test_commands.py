"""Actions by command: reviews, explanations, tests in a new file, and malformed arguments."""

from __future__ import annotations

import pytest
from lsprotocol import types

ADD = "def add(a, b):\n    return a + b\n```\n"
COMMENT = "# 实现一个计算两个数字之和的函数。\n"


def at(line, character, end_line=None, end_character=None):
    end = types.Position(line if end_line is None else end_line, character if end_character is None else end_character)
    return types.Range(types.Position(line, character), end)


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
    assert menu.edited("", edit.edits) == wanted


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
