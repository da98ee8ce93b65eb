"""Ghost text, as both clients ask for it."""

import pytest
from lsprotocol import types

one_client = pytest.mark.parametrize("capabilities", ["visual_studio_code"], indirect=True)
SOURCE = "def add(a, b):\n    return \n"


async def test_capabilities_are_advertised(start):
    capabilities = (await start()).initialized.capabilities
    assert capabilities.inline_completion_provider
    assert capabilities.completion_provider is None
    assert capabilities.text_document_sync.open_close is True
    assert capabilities.text_document_sync.change == types.TextDocumentSyncKind.Incremental
    assert set(capabilities.execute_command_provider.commands) >= {"fimble.accepted", "fimble.explain", "fimble.status"}


async def test_suggestion_at_the_cursor(start, script):
    script("a + b")
    editor = await (await start()).until_ready()
    editor.open(SOURCE)
    (item,) = await editor.ghost(1, 11)
    assert item.insert_text == "a + b"
    assert item.range == types.Range(start=types.Position(1, 11), end=types.Position(1, 11))
    assert item.command.command == "fimble.accepted"
    assert len(item.command.arguments) == 1


@one_client
async def test_several_alternatives_when_invoked(start, script):
    script("a + b")
    editor = await (await start(options={"delay_ms": 0, "n_alternatives": 3})).until_ready()
    editor.open(SOURCE)
    items = await editor.ghost(1, 11, invoked=True)
    texts = [item.insert_text for item in items]
    assert 2 <= len(texts) == len(set(texts)) <= 3
    assert texts[0] == "a + b"


@one_client
async def test_one_suggestion_when_automatic(start, script):
    script("a + b")
    editor = await (await start(options={"delay_ms": 0, "n_alternatives": 3})).until_ready()
    editor.open(SOURCE)
    assert len(await editor.ghost(1, 11)) == 1


@one_client
async def test_suggestion_replaces_the_bracket_that_the_editor_closed(start, script):
    script("a, b)")
    editor = await (await start()).until_ready()
    editor.open("result = add()\n")
    (item,) = await editor.ghost(0, 13)
    assert item.insert_text.startswith("a, b")
    replaced = "result = add()"[item.range.start.character : item.range.end.character]
    assert item.filter_text.startswith(replaced)
    line = "result = add()"
    done = line[: item.range.start.character] + item.insert_text + line[item.range.end.character :]
    assert done == "result = add(a, b)"


@one_client
async def test_selected_menu_item_is_continued(start, script):
    script({"text": "join(parts)"})
    editor = await (await start()).until_ready()
    editor.open("text = sep.jo\n")
    place = types.Range(start=types.Position(0, 11), end=types.Position(0, 13))
    selected = types.SelectedCompletionInfo(range=place, text="join")
    for item in await editor.ghost(0, 13, selected=selected):
        assert item.range == place
        assert item.insert_text.startswith("join")
