"""Edits read the short way: as the long way reads them, or left to it."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import types
from pygls.protocol import default_converter

from fimble.lsp.document_sync import _edits, plain_change


def change(**other: Any) -> dict[str, Any]:
    at = {"start": {"line": 1, "character": 2}, "end": {"line": 3, "character": 4}}
    return {"range": at, "text": "é\n", **other}


def params(*changes: Any, **document: Any) -> dict[str, Any]:
    return {"textDocument": {"uri": "file:///a", "version": 7, **document}, "contentChanges": list(changes)}


@pytest.mark.parametrize(
    "sent", [params(), params(change()), params(change(), change(rangeLength=3, text="")), params(change(), version=-1)]
)
def test_both_ways_read_the_same(sent: dict[str, Any]) -> None:
    structured = default_converter().structure(sent, types.DidChangeTextDocumentParams)
    document = structured.text_document
    assert plain_change(sent) == (document.uri, document.version, _edits(structured.content_changes))


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        {},
        params({"text": "all of it"}),
        params(change(), {"text": "all of it"}),
        params(change(range=None)),
        params(change(text=None)),
        params(change(range={"start": {"line": -1, "character": 0}, "end": {"line": 0, "character": 0}})),
        params(change(range={"start": {"line": 0, "character": True}, "end": {"line": 0, "character": 1}})),
        params(change(range={"start": {"line": 0, "character": 2**31}, "end": {"line": 0, "character": 1}})),
        params(change(), version=None),
        params(change(), version="7"),
        params(change(), uri=None),
        {**params(), "contentChanges": {}},
        {**params(), "contentChanges": "ab"},
    ],
)
def test_what_is_unusual_goes_the_long_way(sent: Any) -> None:
    assert plain_change(sent) is None
