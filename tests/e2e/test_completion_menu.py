"""The completion menu, for editors without ghost text."""

import pytest
from lsprotocol import types

URI = "file:///project/sample.py"


@pytest.fixture(params=["visual_studio_code"])
def without_ghost_text(request, capabilities):
    capabilities.text_document.inline_completion = None
    return capabilities


pytestmark = pytest.mark.parametrize("capabilities", ["visual_studio_code"], indirect=True)


async def menu(editor, line, character):
    params = types.CompletionParams(types.TextDocumentIdentifier(uri=URI), types.Position(line, character))
    return await editor.client.text_document_completion_async(params)


async def test_client_without_ghost_text_gets_one_item_in_the_menu(start, script, without_ghost_text):
    script("ms)")
    editor = await (await start(declared=without_ghost_text)).until_ready()
    assert editor.initialized.capabilities.completion_provider.trigger_characters
    editor.open("total = sum(ite\n")
    answer = await menu(editor, 0, 15)
    assert answer.is_incomplete, "the editor must ask again as the user types on"
    (item,) = answer.items
    assert item.label == "items)"
    assert item.text_edit.new_text == "items)"
    assert item.text_edit.range == types.Range(start=types.Position(0, 12), end=types.Position(0, 15))
    assert item.filter_text.startswith("ite")
    assert item.sort_text > "zzzz"
    assert item.command.command == "fimble.accepted"


async def test_nothing_to_show_is_an_empty_list(start, script, without_ghost_text):
    editor = await start(options={"delay_ms": 0, "n_second_opinions": 0}, declared=without_ghost_text)
    await editor.until_ready()
    editor.open("x = \n")
    assert list((await menu(editor, 0, 4)).items) == []


async def test_setting_turns_the_menu_on_for_a_client_with_ghost_text(start, script):
    script("items)")
    editor = await (await start(options={"delay_ms": 0, "completion_menu": "always"})).until_ready()
    editor.open("total = sum(\n")
    assert len((await menu(editor, 0, 12)).items) == 1


async def test_setting_turns_the_menu_off(start, script, without_ghost_text):
    editor = await start(options={"completion_menu": "never"}, declared=without_ghost_text)
    assert editor.initialized.capabilities.completion_provider is None


async def test_menu_can_be_turned_on_later(start, script, capabilities):
    script("items)")
    capabilities.text_document.completion.dynamic_registration = True
    editor = await (await start(declared=capabilities)).until_ready()
    settings = {"fimble": {"delay_ms": 0, "completion_menu": "always"}}
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=settings))
    await editor.until(lambda: "textDocument/completion" in [r.method for r in editor.registered])
    editor.open("total = sum(\n")
    assert len((await menu(editor, 0, 12)).items) == 1
