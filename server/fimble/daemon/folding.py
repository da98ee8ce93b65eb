"""Turn an opening message and its edits into one opening message. Imported only when a log has grown long."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fimble.text.document import DocumentSnapshot
from fimble.text.edit import TextEdit, apply_edits
from fimble.text.position import Encoding, Position


def folded(opened: bytes, changes: Sequence[bytes], encoding: str) -> bytes | None:
    """Give the opening message of the text after `changes`, or None if it cannot be told.

    It cannot where versions do not rise: then the daemon withholds the document, and must see the same again.
    """
    try:
        message = json.loads(opened)
        item = message["params"]["textDocument"]
        document = DocumentSnapshot(item["uri"], item["languageId"], item["version"], item["text"])
        for change in changes:
            params = json.loads(change)["params"]
            version = params["textDocument"]["version"]
            if version <= document.version:
                return None
            edits = [_edit(raw) for raw in params["contentChanges"]]
            document = apply_edits(document, version, edits, Encoding(encoding))
    except (KeyError, TypeError, ValueError):
        return None
    item["version"], item["text"] = document.version, document.text
    return json.dumps(message).encode()


def _edit(raw: dict[str, Any]) -> TextEdit:
    if "range" not in raw or raw["range"] is None:
        return TextEdit(raw["text"])
    start, end = raw["range"]["start"], raw["range"]["end"]
    return TextEdit(raw["text"], Position(start["line"], start["character"]), Position(end["line"], end["character"]))
