"""The editor's documents and notebooks into the document store. No text is looked at here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lsprotocol import types

from fimble.text.edit import TextEdit
from fimble.text.notebook import Cell
from fimble.text.position import Position
from fimble.text.store import DocumentStore

INTEGER_MAX = 2**31 - 1
"""Source: LSP 3.18, base types."""
Change = types.TextDocumentContentChangePartial | types.TextDocumentContentChangeWholeDocument

# Every notebook and every language: which documents get ghost text is for the policy to say.
NOTEBOOK_SYNC = types.NotebookDocumentSyncOptions(
    notebook_selector=[types.NotebookDocumentFilterWithNotebook(notebook="*")], save=False
)


def did_open(documents: DocumentStore, params: types.DidOpenTextDocumentParams) -> None:
    _open(documents, params.text_document)


def did_change(documents: DocumentStore, params: types.DidChangeTextDocumentParams) -> None:
    documents.apply(params.text_document.uri, params.text_document.version, _edits(params.content_changes))


def plain_change(params: Any) -> tuple[str, int, list[TextEdit]] | None:
    """Read the parameters of a didChange as they come with each key; None if anything about them is unusual."""
    try:
        document, changes = params["textDocument"], params["contentChanges"]
        uri, version, edits = document["uri"], document["version"], [_plain_edit(change) for change in changes]
    except (LookupError, TypeError):
        return None
    if type(uri) is not str or not _is_integer(version) or type(changes) is not list or None in edits:
        return None
    return uri, version, [edit for edit in edits if edit is not None]


def _plain_edit(change: Any) -> TextEdit | None:
    text, start, end = change["text"], change["range"]["start"], change["range"]["end"]
    numbers = start["line"], start["character"], end["line"], end["character"]
    if type(text) is not str or not all(_is_integer(number) and number >= 0 for number in numbers):
        return None
    return TextEdit(text, Position(*numbers[:2]), Position(*numbers[2:]))


def _is_integer(value: Any) -> bool:
    return type(value) is int and -INTEGER_MAX <= value <= INTEGER_MAX


def did_close(documents: DocumentStore, params: types.DidCloseTextDocumentParams) -> None:
    documents.close(params.text_document.uri)


def notebook_did_open(documents: DocumentStore, params: types.DidOpenNotebookDocumentParams) -> None:
    for item in params.cell_text_documents:
        _open(documents, item)
    documents.open_notebook(params.notebook_document.uri, _cells(params.notebook_document.cells))


def notebook_did_change(documents: DocumentStore, params: types.DidChangeNotebookDocumentParams) -> None:
    changes = params.change.cells
    if changes is None:
        return
    uri = params.notebook_document.uri
    if structure := changes.structure:
        for item in structure.did_open or ():
            _open(documents, item)
        for identifier in structure.did_close or ():
            documents.close(identifier.uri)
        array = structure.array
        documents.change_cells(uri, array.start, array.delete_count, _cells(array.cells or ()))
    if changes.data:
        documents.update_cells(uri, _cells(changes.data))
    for content in changes.text_content or ():
        documents.apply(content.document.uri, content.document.version, _edits(content.changes))


def notebook_did_close(documents: DocumentStore, params: types.DidCloseNotebookDocumentParams) -> None:
    for identifier in params.cell_text_documents:
        documents.close(identifier.uri)
    documents.close_notebook(params.notebook_document.uri)


def _open(documents: DocumentStore, item: types.TextDocumentItem) -> None:
    kind = item.language_id
    language = kind.value if isinstance(kind, types.LanguageKind) else kind
    documents.open(item.uri, language, item.version, item.text)


def _edits(changes: Sequence[Change]) -> list[TextEdit]:
    return [_edit(change) for change in changes]


def _edit(change: Change) -> TextEdit:
    if isinstance(change, types.TextDocumentContentChangeWholeDocument):
        return TextEdit(change.text)
    start, end = change.range.start, change.range.end
    return TextEdit(change.text, Position(start.line, start.character), Position(end.line, end.character))


def _cells(cells: Iterable[types.NotebookCell]) -> list[Cell]:
    return [Cell(cell.document, cell.kind is types.NotebookCellKind.Code) for cell in cells]
