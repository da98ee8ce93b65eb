"""What happens while an action runs: edits, a closed document, cancelling, ghost text, a model that loads."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

ADD = "def add(a, b):\n    return a + b\n```\n"
COMMENT = "# 实现一个计算两个数字之和的函数。\n"
LIMIT_S = 20


def at(line, character, end_line=None, end_character=None):
    end = types.Position(line if end_line is None else end_line, character if end_character is None else end_character)
    return types.Range(types.Position(line, character), end)


# No two lines are alike: a loop would be cut short, and the action done before it can be cancelled.
ENDLESS = "def add(a, b):\n" + "".join(f"    a{n} = a + {n} * b\n" for n in range(500))


async def test_edit_made_meanwhile_elsewhere_moves_the_change(menu, script, plain_client):
    script({"text": ADD, "token_ms": 60})
    menu = await menu(COMMENT, declared=plain_client)
    running = asyncio.create_task(menu.run("function", at(0, 3)))
    await asyncio.sleep(0)
    menu.editor.change(2, "import os\n\n\n", (0, 0))
    said = await running
    assert said["done"], said
    new = "import os\n\n\n" + COMMENT
    assert menu.edited(new, menu.applied[0].edit.changes[menu.uri]) == new + "def add(a, b):\n    return a + b\n"


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
    script({"text": ENDLESS, "token_ms": 20}, {"text": "x", "when": "ghost"})
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
    script({"text": ENDLESS, "token_ms": 20})
    menu = await menu(COMMENT, declared=resolving)

    running = asyncio.create_task(menu.run("function", at(0, 3)))
    await menu.editor.until(lambda: [report for report in menu.progress if report.kind == "report"])
    token = next(t for t in menu.client.progress_reports if str(t).startswith("fimble-action"))
    menu.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
    assert (await running)["refusal"] == "cancelled"


async def test_action_while_the_model_loads(start, script, plain_client, menu_of):
    script(ADD, load_ms=3_000)
    editor = await start(declared=plain_client)
    menu = menu_of(editor)
    editor.open(COMMENT)
    assert (await menu.run("function", at(0, 3)))["refusal"] == "model-loading"


async def test_ghost_text_is_not_held_up_by_an_action(menu, script, plain_client):
    body = "".join(f"    a = a + {n} * b\n" for n in range(12))
    script({"text": f"def add(a, b):\n{body}```", "token_ms": 10, "when": "asks for"}, "42")
    menu = await menu("x = \n\n\n" + COMMENT, declared=plain_client)
    running = asyncio.create_task(menu.run("function", at(3, 3)))
    await asyncio.sleep(0)
    items = await menu.editor.ghost(0, 4, invoked=True)
    assert not running.done() and items[0].insert_text == "42"
    assert (await running)["applied"]
