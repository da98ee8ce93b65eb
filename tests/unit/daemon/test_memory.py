"""What a shim remembers brings a fresh session to the same state."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from fimble.daemon.folding import folded
from fimble.daemon.memory import REPLAY_ID, SessionMemory
from fimble.text.document import DocumentSnapshot
from fimble.text.edit import TextEdit, apply_edits
from fimble.text.position import Encoding, Position

URI = "file:///a.py"


def note(memory, method, params, request_id=None):
    message = {"method": method, "params": params} | ({} if request_id is None else {"id": request_id})
    memory.note_from_editor(message, json.dumps(message).encode())


def opening(uri=URI, text="", version=1):
    return {"textDocument": {"uri": uri, "languageId": "python", "version": version, "text": text}}


def insertion(version, line, character, text, uri=URI):
    place = {"line": line, "character": character}
    changes = [{"range": {"start": place, "end": place}, "text": text}]
    return {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes}


def replayed(memory):
    return [json.loads(body) for body in memory.replay()]


def test_nothing_is_replayed_before_initialize():
    memory = SessionMemory()
    note(memory, "textDocument/didOpen", opening())
    assert memory.replay() == []


def test_initialize_keeps_its_id_until_the_editor_has_the_answer():
    memory = SessionMemory()
    note(memory, "initialize", {}, request_id=1)
    assert memory.answers_for_lost() == []
    assert replayed(memory)[0]["id"] == 1
    memory.note_from_daemon({"id": 1, "result": {"capabilities": {"positionEncoding": "utf-8"}}})
    assert replayed(memory)[0]["id"] == REPLAY_ID
    assert memory.encoding == "utf-8"


def test_only_what_is_open_and_the_last_settings_are_replayed():
    memory = SessionMemory()
    note(memory, "initialize", {}, request_id=1)
    note(memory, "workspace/didChangeConfiguration", {"settings": {"delay_ms": 1}})
    note(memory, "workspace/didChangeConfiguration", {"settings": {"delay_ms": 2}})
    note(memory, "textDocument/didOpen", opening("file:///gone.py"))
    note(memory, "textDocument/didClose", {"textDocument": {"uri": "file:///gone.py"}})
    note(memory, "textDocument/didChange", insertion(2, 0, 0, "x", uri="file:///never-opened.py"))
    note(memory, "notebookDocument/didOpen", {"notebookDocument": {"uri": "file:///n.ipynb"}})
    note(memory, "textDocument/didOpen", opening())
    note(memory, "textDocument/didSave", {"textDocument": {"uri": URI}})
    found = replayed(memory)
    assert [m["method"] for m in found] == [
        "initialize",
        "workspace/didChangeConfiguration",
        "textDocument/didOpen",
        "notebookDocument/didOpen",
    ]
    assert found[1]["params"]["settings"]["delay_ms"] == 2


def test_malformed_messages_are_passed_over():
    memory = SessionMemory()
    for params in (None, [], {"textDocument": None}, {"textDocument": {"uri": 7}}):
        note(memory, "textDocument/didOpen", params)
    memory.note_from_editor({"method": 5, "id": 1}, b"")
    memory.note_from_editor({"method": "x", "id": [1]}, b"")
    memory.note_from_editor({"id": {}, "result": None}, b"")
    assert memory.documents == {} and memory.pending == {}


def test_a_shutdown_under_way_is_answered():
    memory = SessionMemory()
    note(memory, "shutdown", None, request_id=9)
    assert memory.answers_for_lost() == [{"jsonrpc": "2.0", "id": 9, "result": None}]


def test_long_logs_are_folded_in_silence_and_give_the_same_document():
    memory = SessionMemory()
    note(memory, "initialize", {}, request_id=1)
    note(memory, "textDocument/didOpen", opening(text="one\ntwo\n"))
    for n in range(100):
        note(memory, "textDocument/didChange", insertion(n + 2, 1, n, "x"))
    memory.fold(only_must=True)
    assert len(memory.documents[URI].changes) == 100
    memory.fold(only_must=False)
    assert memory.documents[URI].changes == []
    item = replayed(memory)[1]["params"]["textDocument"]
    assert item == {"uri": URI, "languageId": "python", "version": 101, "text": "one\n" + "x" * 100 + "two\n"}


def test_versions_that_do_not_rise_are_kept_as_they_came():
    memory = SessionMemory()
    note(memory, "textDocument/didOpen", opening(version=5))
    for _ in range(100):
        note(memory, "textDocument/didChange", insertion(5, 0, 0, "x"))
    memory.fold(only_must=False)
    assert len(memory.documents[URI].changes) == 100


TEXTS = st.text(alphabet="ab\n\r\U0001f600\u2028é", max_size=6)
EDITS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), TEXTS), max_size=12)


@given(TEXTS, EDITS, st.sampled_from(list(Encoding)))
def test_folding_equals_applying(text, edits, encoding):
    document = DocumentSnapshot(URI, "python", 1, text)
    changes = []
    for version, (line, character, inserted) in enumerate(edits, 2):
        place = Position(line, character)
        document = apply_edits(document, version, [TextEdit(inserted, place, place)], encoding)
        changes.append(json.dumps({"params": insertion(version, line, character, inserted)}).encode())
    result = folded(json.dumps({"params": opening(text=text)}).encode(), changes, encoding.value)
    assert result is not None
    assert json.loads(result)["params"]["textDocument"]["text"] == document.text
