"""What an editor should not send, and documents that are not for a code model: an empty answer and a named reason."""

import pytest
from lsprotocol import types

pytestmark = pytest.mark.parametrize("capabilities", ["visual_studio_code"], indirect=True)

SOURCE = "def add(a, b):\n    return \n"
OTHER = "file:///project/other.py"


@pytest.fixture
async def editor(start, script):
    script("a + b")
    editor = await (await start()).until_ready()
    editor.open(SOURCE, uri=OTHER)
    return editor


@pytest.fixture
def still_answers(editor):
    """Whatever came before, the next document is answered."""

    async def check():
        assert [item.insert_text for item in await editor.ghost(1, 11, uri=OTHER)] == ["a + b"]

    return check


async def test_position_outside_the_document(editor, still_answers):
    editor.open(SOURCE)
    assert await editor.ghost(99, 0) == []
    assert await editor.reason() == "position-outside"
    await still_answers()


async def test_character_beyond_the_line_is_its_end(editor):
    editor.open(SOURCE)
    (item,) = await editor.ghost(1, 999)
    assert (item.range.start.line, item.range.start.character) == (1, 11)


async def test_document_never_opened_and_document_closed(editor, still_answers):
    assert await editor.ghost(0, 0) == []
    assert await editor.reason() == "document-not-open"
    editor.open(SOURCE)
    identifier = types.TextDocumentIdentifier(uri="file:///project/sample.py")
    editor.client.text_document_did_close(types.DidCloseTextDocumentParams(identifier))
    editor.change(2, "x", (0, 0))
    assert await editor.ghost(1, 11) == []
    assert await editor.reason() == "document-not-open"
    await still_answers()


async def test_edits_out_of_order_ask_for_nothing_until_the_whole_text_comes(editor, still_answers):
    editor.open(SOURCE, version=5)
    editor.change(4, "x", (0, 0))
    assert await editor.ghost(1, 11) == []
    assert await editor.reason() == "document-not-open"
    editor.change(6, SOURCE)
    assert len(await editor.ghost(1, 11)) == 1
    await still_answers()


async def test_binary_text(editor, still_answers):
    editor.open("\x7fELF\x02\x01\x01\0\0\0\0\n\0\0x = \n")
    assert await editor.ghost(1, 6) == []
    assert await editor.reason() == "not-text"
    await still_answers()


async def test_half_of_a_surrogate_pair(editor, still_answers):
    """A file that is not UTF-8 can reach the server as lone surrogates; nothing may break on them."""
    editor.open("x = '\ud83d'\ny = \n")
    await editor.ghost(1, 4)
    await still_answers()


async def test_one_very_long_line(editor, still_answers):
    editor.open("x = '" + "a" * 200_000)
    assert await editor.ghost(0, 200_005) == []
    assert await editor.reason() == "line-too-long"
    await still_answers()


async def test_fifty_megabytes(editor, still_answers):
    line = "value = compute(value)  # plain\n"
    editor.open(line * (50_000_000 // len(line)))
    editor.change(2, "x", (1000, 0))
    assert await editor.ghost(1000, 1) == []
    assert await editor.reason() == "document-too-large"
    await still_answers()


async def test_secret_files_are_not_looked_at(editor, still_answers):
    uri = "file:///project/.env"
    editor.open("TOKEN=", uri=uri, language="dotenv")
    assert await editor.ghost(0, 6, uri=uri) == []
    assert await editor.reason() == "path-off"
    await still_answers()
