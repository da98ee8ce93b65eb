"""Text that is hard to count or to read, each with an answer in the right place or a named reason for none."""

import pytest
from lsprotocol import types

pytestmark = pytest.mark.parametrize("capabilities", ["visual_studio_code"], indirect=True)


async def ready(start, **options):
    return await (await start(options={"delay_ms": 0, **options})).until_ready()


async def test_lines_and_columns_with_emoji_crlf_and_line_separators(start, script):
    """The answer is scripted for the exact text before the cursor, so a wrong place shows nothing."""
    script({"text": "b + 1", "when": "z = '\u2028😀'\na ="})
    editor = await ready(start)
    editor.open("x = 1\r\nz = '\u2028😀'\r\na = '\r\n")
    # Two UTF-16 units of the emoji lie before the insertion; U+2028 starts no line.
    editor.change(2, "", (2, 4), (2, 5))
    (item,) = await editor.ghost(2, 4)
    assert item.insert_text == "b + 1"
    assert (item.range.start.line, item.range.start.character) == (2, 4)


async def test_column_after_an_emoji_counts_utf16_units(start, script):
    script("value")
    editor = await ready(start)
    editor.open("x = '😀', \n")
    (item,) = await editor.ghost(0, 10)
    assert (item.range.start.line, item.range.start.character) == (0, 10)


async def test_encoding_that_the_client_prefers(start, script, capabilities):
    script("value")
    capabilities.general.position_encodings = ["utf-7", "utf-8", "utf-16"]
    editor = await (await start(declared=capabilities)).until_ready()
    assert editor.initialized.capabilities.position_encoding == "utf-8"
    editor.open("x = '😀', \n")
    (item,) = await editor.ghost(0, 12)
    assert (item.range.start.line, item.range.start.character) == (0, 12)


async def test_answer_has_the_line_ends_of_the_document(start, script):
    script("if a:\n        return b\n    return c")
    editor = await ready(start, multiline="always")
    editor.open("def f(a, b, c):\r\n    \r\n")
    (item,) = await editor.ghost(1, 4)
    assert "\r\n" in item.insert_text
    assert "\n" not in item.insert_text.replace("\r\n", "")


async def test_text_that_spells_sentinels_stays_text(start, script):
    script({"text": "value", "when": "<|fim_middle|>"})
    editor = await ready(start)
    editor.open("s = '<|fim_prefix|><|fim_middle|><|endoftext|>'\nx = \n")
    (item,) = await editor.ghost(1, 4)
    assert item.insert_text == "value"


async def test_empty_file_is_answered(start, script):
    script("import os")
    editor = await ready(start)
    editor.open("")
    items = await editor.ghost(0, 0)
    assert items or await editor.reason() == "nothing-to-complete"


async def test_uris_that_are_no_files(start, script):
    script("a + b")
    editor = await ready(start)
    for uri in ("untitled:Untitled-1", "vscode-notebook-cell:/n.ipynb#W0sZmlsZQ%3D%3D", "git:/a.py?ref", "no uri"):
        editor.open("def add(a, b):\n    return \n", uri=uri)
        assert len(await editor.ghost(1, 11, uri=uri)) == 1, uri


async def test_notebook_cells_are_documents(start, script):
    script("a + b")
    editor = await ready(start)
    uri, cell = "file:///n.ipynb", "vscode-notebook-cell:/n.ipynb#1"
    notebook = types.NotebookDocument(
        uri=uri,
        notebook_type="jupyter-notebook",
        version=1,
        cells=[types.NotebookCell(kind=types.NotebookCellKind.Code, document=cell)],
    )
    item = types.TextDocumentItem(uri=cell, language_id="python", version=1, text="def add(a, b):\n    \n")
    editor.client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(notebook, [item]))
    change = types.TextDocumentContentChangePartial(
        range=types.Range(types.Position(1, 4), types.Position(1, 4)), text="return "
    )
    content = types.NotebookDocumentCellContentChanges(types.VersionedTextDocumentIdentifier(2, cell), [change])
    event = types.NotebookDocumentChangeEvent(cells=types.NotebookDocumentCellChanges(text_content=[content]))
    identifier = types.VersionedNotebookDocumentIdentifier(version=2, uri=uri)
    editor.client.notebook_document_did_change(types.DidChangeNotebookDocumentParams(identifier, event))
    assert [found.insert_text for found in await editor.ghost(1, 11, uri=cell)] == ["a + b"]

    closing = types.DidCloseNotebookDocumentParams(
        types.NotebookDocumentIdentifier(uri=uri), [types.TextDocumentIdentifier(uri=cell)]
    )
    editor.client.notebook_document_did_close(closing)
    assert await editor.ghost(1, 11, uri=cell) == []
    assert await editor.reason() == "document-not-open"


async def test_cells_above_are_there_to_go_by(start, script):
    """The answer is scripted for the text of the first cell, so a prompt without it shows nothing."""
    script({"text": "weights)", "when": "weights = load()"})
    editor = await ready(start)
    first, second = "vscode-notebook-cell:/n.ipynb#1", "vscode-notebook-cell:/n.ipynb#2"
    code = types.NotebookCellKind.Code
    notebook = types.NotebookDocument(
        uri="file:///n.ipynb",
        notebook_type="jupyter-notebook",
        version=1,
        cells=[types.NotebookCell(kind=code, document=first), types.NotebookCell(kind=code, document=second)],
    )
    items = [
        types.TextDocumentItem(uri=first, language_id="python", version=1, text="weights = load()\n"),
        types.TextDocumentItem(uri=second, language_id="python", version=1, text="train(\n"),
    ]
    editor.client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(notebook, items))
    assert [found.insert_text for found in await editor.ghost(0, 6, uri=second)] == ["weights)"]
