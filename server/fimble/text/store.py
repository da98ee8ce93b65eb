"""The documents an editor has open. Reads nothing from disk; a document is what the editor says it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fimble.log import LOGGER
from fimble.text.document import DocumentSnapshot
from fimble.text.edit import TextEdit, apply_edits, joined
from fimble.text.notebook import Cell, Notebook
from fimble.text.position import Encoding

NEVER_OPENED = "the document is not open"
OUT_OF_STEP = "edits came out of order; a whole-text change or reopening mends it"


class DocumentStore:
    """Open documents by URI, each as its newest snapshot.

    **Invariant:** `get` gives text that the editor has too, or nothing. An edit that comes with a version that
    is not newer is ignored; since the texts may differ from then on, the document is withheld until the editor
    sends its whole text.
    """

    def __init__(self, encoding: Encoding = Encoding.UTF16) -> None:
        self.encoding = encoding
        self._documents: dict[str, DocumentSnapshot] = {}
        self._out_of_step: set[str] = set()
        self._notebooks: dict[str, Notebook] = {}

    def open(self, uri: str, language: str, version: int, text: str) -> DocumentSnapshot:
        """Take a document; one that was open already is replaced."""
        if uri in self._documents:
            LOGGER.warning("document %s was opened twice; the second text counts", uri)
        document = DocumentSnapshot(uri, language, version, joined(text))
        self._documents[uri] = document
        self._out_of_step.discard(uri)
        return document

    def apply(self, uri: str, version: int, edits: Sequence[TextEdit]) -> DocumentSnapshot | None:
        """Apply one notification's edits in order; None if they were ignored, with the reason in the log."""
        document = self._documents.get(uri)
        if document is None:
            LOGGER.warning("edit ignored: document %s is not open", uri)
            return None
        if version <= document.version:
            LOGGER.warning("edit ignored: version %d of %s is not newer than %d", version, uri, document.version)
            self._out_of_step.add(uri)
            return None
        if uri in self._out_of_step:
            edits = _from_whole_text(edits)
            if not edits:
                LOGGER.warning("edit ignored: %s is out of step since version %d", uri, document.version)
                return None
            self._out_of_step.discard(uri)
        document = apply_edits(document, version, edits, self.encoding)
        self._documents[uri] = document
        return document

    def close(self, uri: str) -> None:
        if self._documents.pop(uri, None) is None:
            LOGGER.warning("close ignored: document %s is not open", uri)
        self._out_of_step.discard(uri)

    def get(self, uri: str) -> DocumentSnapshot | None:
        """Give the newest snapshot, or None; then `why_absent` says why."""
        return None if uri in self._out_of_step else self._documents.get(uri)

    def why_absent(self, uri: str) -> str:
        return OUT_OF_STEP if uri in self._out_of_step else NEVER_OPENED

    def set_language(self, uri: str, language: str) -> None:
        """Change the language of an open document; its text and version stay."""
        document = self._documents.get(uri)
        if document is not None:
            self._documents[uri] = DocumentSnapshot(uri, language, document.version, document.text, document.lines)

    @property
    def uris(self) -> list[str]:
        return list(self._documents)

    def open_notebook(self, uri: str, cells: Iterable[Cell]) -> None:
        self._notebooks[uri] = Notebook(tuple(cells))

    def change_cells(self, uri: str, start: int, n_deleted: int, cells: Iterable[Cell]) -> None:
        """Replace `n_deleted` cells from `start`; ignored for a notebook that is not open."""
        notebook = self._notebooks.get(uri)
        if notebook is None:
            LOGGER.warning("cells ignored: notebook %s is not open", uri)
            return
        self._notebooks[uri] = notebook.spliced(start, n_deleted, tuple(cells))

    def update_cells(self, uri: str, cells: Iterable[Cell]) -> None:
        """Take changed data of cells (a code cell became prose); the order stays."""
        if notebook := self._notebooks.get(uri):
            self._notebooks[uri] = notebook.updated(cells)

    def close_notebook(self, uri: str) -> None:
        self._notebooks.pop(uri, None)

    def cells_before(self, uri: str) -> list[DocumentSnapshot]:
        """Give the open code cells above the cell `uri` in its notebook, first to last; empty for a plain file."""
        for notebook in self._notebooks.values():
            if notebook.holds(uri):
                above = (self.get(cell.uri) for cell in notebook.code_before(uri))
                return [document for document in above if document is not None]
        return []


def _from_whole_text(edits: Sequence[TextEdit]) -> Sequence[TextEdit]:
    """Give the edits from the last one that brings the whole text, or none."""
    for index in range(len(edits) - 1, -1, -1):
        if edits[index].start is None:
            return edits[index:]
    return ()
