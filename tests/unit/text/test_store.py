"""What the store does with edits that are in order, and with those that are not."""

import pytest

from fimble.text.edit import TextEdit
from fimble.text.notebook import Cell
from fimble.text.position import Encoding, Position
from fimble.text.store import NEVER_OPENED, OUT_OF_STEP, DocumentStore

URI = "file:///a.py"


@pytest.fixture
def store():
    store = DocumentStore()
    store.open(URI, "python", 1, "one\ntwo\n")
    return store


def insert(text, line=0, character=0):
    return TextEdit(text, Position(line, character), Position(line, character))


def test_edits_of_one_notification_build_on_each_other(store):
    document = store.apply(URI, 2, [insert("zero\n"), insert("!", 1, 3)])
    assert document.text == "zero\none!\ntwo\n"
    assert (document.version, document.language) == (2, "python")


def test_older_snapshot_keeps_its_text(store):
    before = store.get(URI)
    store.apply(URI, 2, [insert("x")])
    assert before.text == "one\ntwo\n"
    assert before.version == 1


@pytest.mark.parametrize("version", [1, 0, -5])
def test_edit_that_is_not_newer_is_ignored_and_document_withheld(store, version):
    assert store.apply(URI, version, [insert("x")]) is None
    assert store.get(URI) is None
    assert store.why_absent(URI) == OUT_OF_STEP


def test_incremental_edits_do_not_mend_a_document_out_of_step(store):
    store.apply(URI, 1, [insert("x")])
    assert store.apply(URI, 2, [insert("y")]) is None
    assert store.get(URI) is None


def test_whole_text_mends_a_document_out_of_step(store):
    store.apply(URI, 1, [insert("x")])
    document = store.apply(URI, 2, [insert("lost"), TextEdit("new\n"), insert("!", 0, 3)])
    assert document.text == "new!\n"
    assert store.get(URI) is document


def test_reopening_mends_a_document_out_of_step(store):
    store.apply(URI, 1, [insert("x")])
    store.open(URI, "python", 1, "again")
    assert store.get(URI).text == "again"


def test_versions_may_skip(store):
    assert store.apply(URI, 9, [insert("x")]).text == "xone\ntwo\n"


def test_unknown_document_stays_unknown(store):
    assert store.apply("file:///other.py", 1, [insert("x")]) is None
    assert store.get("file:///other.py") is None
    assert store.why_absent("file:///other.py") == NEVER_OPENED


def test_closed_document_is_gone(store):
    store.close(URI)
    store.close(URI)
    assert store.get(URI) is None
    assert store.apply(URI, 2, [insert("x")]) is None


def test_reversed_range_is_turned_round(store):
    document = store.apply(URI, 2, [TextEdit("X", Position(1, 0), Position(0, 1))])
    assert document.text == "oXtwo\n"


def test_place_beyond_the_text_is_its_end(store):
    document = store.apply(URI, 2, [insert("end", 99, 99), insert("!", 0, 99)])
    assert document.text == "one!\ntwo\nend"


def test_edit_inside_a_surrogate_pair_starts_at_the_character():
    store = DocumentStore(Encoding.UTF16)
    store.open(URI, "python", 1, "a😀b")
    assert store.apply(URI, 2, [insert("x", 0, 2)]).text == "ax😀b"


def test_many_edits_in_one_notification_bottom_up():
    """An editor's replace-all sends its edits from the last line to the first."""
    store = DocumentStore()
    n_lines = 2000
    store.open(URI, "python", 1, "old\n" * n_lines)
    edits = [TextEdit("renewed", Position(line, 0), Position(line, 3)) for line in reversed(range(n_lines))]
    document = store.apply(URI, 2, edits)
    assert document.text == "renewed\n" * n_lines
    assert document.line_starts == tuple(range(0, 8 * n_lines + 1, 8))


def test_language_can_change_without_the_text(store):
    store.set_language(URI, "rust")
    assert (store.get(URI).language, store.get(URI).text, store.get(URI).version) == ("rust", "one\ntwo\n", 1)


@pytest.fixture
def notebook():
    store = DocumentStore()
    for name in "abc":
        store.open(f"cell:{name}", "python", 1, name)
    store.open("cell:prose", "markdown", 1, "# prose")
    store.open_notebook("nb:1", [Cell("cell:a", True), Cell("cell:prose", False), Cell("cell:b", True)])
    return store


def texts_before(store, uri):
    return [document.text for document in store.cells_before(uri)]


def test_code_cells_above_come_in_order(notebook):
    assert texts_before(notebook, "cell:b") == ["a"]
    assert texts_before(notebook, "cell:a") == []
    assert texts_before(notebook, "file:///plain.py") == []


def test_cells_follow_their_order_when_it_changes(notebook):
    notebook.change_cells("nb:1", 0, 1, [Cell("cell:c", True), Cell("cell:a", True)])
    assert texts_before(notebook, "cell:b") == ["c", "a"]
    notebook.update_cells("nb:1", [Cell("cell:c", False)])
    assert texts_before(notebook, "cell:b") == ["a"]


def test_closed_notebook_has_no_order(notebook):
    notebook.close_notebook("nb:1")
    assert texts_before(notebook, "cell:b") == []
