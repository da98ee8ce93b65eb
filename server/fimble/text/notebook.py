"""The order of a notebook's cells. Their text lives in the document store like any other document's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: the URI of its document, and whether it holds code (else prose)."""

    uri: str
    is_code: bool


@dataclass(frozen=True, slots=True)
class Notebook:
    """Cells from top to bottom."""

    cells: tuple[Cell, ...] = ()

    def spliced(self, start: int, n_deleted: int, cells: tuple[Cell, ...]) -> Notebook:
        """Give the notebook with `n_deleted` cells from `start` replaced by `cells`."""
        return Notebook((*self.cells[:start], *cells, *self.cells[start + n_deleted :]))

    def updated(self, cells: Iterable[Cell]) -> Notebook:
        """Give the notebook with the given cells in the places of those of the same URI."""
        by_uri = {cell.uri: cell for cell in cells}
        return Notebook(tuple(by_uri.get(cell.uri, cell) for cell in self.cells))

    def holds(self, uri: str) -> bool:
        return any(cell.uri == uri for cell in self.cells)

    def code_before(self, uri: str) -> list[Cell]:
        """Give the code cells above the cell `uri`."""
        before: list[Cell] = []
        for cell in self.cells:
            if cell.uri == uri:
                return before
            if cell.is_code:
                before.append(cell)
        return []
