"""What a real server writes into the file of counts, and what it leaves out."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lsprotocol import types

from fimble.statistics import store

LIMIT_S = 20
ADD = "def add(a, b):\n    return a + b\n```\n"
COMMENT = "# Add two numbers, my secret.\n"
WHERE = types.Range(types.Position(0, 4), types.Position(0, 4))


def read(path):
    """Give the counts by name and event; nothing else may be in the file."""
    found = {}
    for subject, n in store.read(path).items():
        assert (subject.language, subject.model) == ("python", "qwen2.5-coder-0.5b")
        found[f"{subject.name} {subject.event.value}"] = n
    content = path.read_bytes() if path.exists() else b""
    assert b"secret" not in content and b"sample" not in content
    return found


def is_there(name):
    return Path(name).exists()


async def counted(menu, environment):
    """End the session; gives what it counted."""
    await menu.client.shutdown_session()
    await asyncio.wait_for(menu.client._server.wait(), LIMIT_S)
    return read(Path(environment["FIMBLE_STATISTICS"]))


async def test_ghost_text_that_is_shown_drawn_and_taken(menu, script, resolving, environment):
    script("a + b\n")
    menu = await menu("def add(a, b):\n    return \n", declared=resolving)
    (item,) = await menu.editor.ghost(1, 11, invoked=True)
    command = {"command": item.command.command, "arguments": item.command.arguments}
    menu.client.protocol.notify("textDocument/didShowCompletion", {"item": {"command": command}})
    await menu.editor.execute(item.command.command, *item.command.arguments)
    assert await counted(menu, environment) == {
        "ghost-text shown": 1,
        "ghost-text displayed": 1,
        "ghost-text accepted": 1,
    }


async def test_edit_that_is_made_and_undone(menu, script, resolving, environment):
    script(ADD)
    menu = await menu(COMMENT, declared=resolving)
    resolved = await menu.resolve(await menu.offer("refactor.rewrite.fimble.function", WHERE))
    (edits,) = menu.text_edits(resolved.edit).values()
    menu.editor.change(2, menu.edited(COMMENT, edits))
    menu.editor.change(3, COMMENT)
    await menu.editor.status()
    assert await counted(menu, environment) == {"function shown": 1, "function accepted": 1, "function undone": 1}


async def test_edit_by_command_that_the_editor_refuses(menu, script, resolving, environment):
    script(ADD)
    menu = await menu(COMMENT, declared=resolving)
    menu.takes_edits = False
    await menu.run("function", WHERE)
    assert await counted(menu, environment) == {"function shown": 1, "function rejected": 1}


async def test_answer_that_fimble_refuses(menu, script, resolving, environment):
    script("no code at all (\n")
    menu = await menu(COMMENT, declared=resolving)
    await menu.run("function", WHERE)
    assert await counted(menu, environment) == {"function refused": 1}


async def test_nothing_is_written_where_statistics_are_off(menu, script, resolving, environment):
    script(ADD)
    menu = await menu(COMMENT, declared=resolving, options={"statistics": False, "delay_ms": 0})
    await menu.run("function", WHERE)
    assert await counted(menu, environment) == {}
    assert not is_there(environment["FIMBLE_STATISTICS"])
