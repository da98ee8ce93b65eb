"""What `fimble complete` reads, and which places it knows."""

from __future__ import annotations

import io

import pytest

from fimble.cli.complete import offset_at, read_document
from fimble.errors import FimbleError, UsageError
from fimble.text.document import DocumentSnapshot


def document(text):
    return DocumentSnapshot("untitled:x", "python", 1, text)


@pytest.mark.parametrize(
    ("text", "line", "column", "offset"),
    [
        ("", 1, 1, 0),
        ("ab", 1, 3, 2),
        ("ab\ncd", 2, 1, 3),
        ("ab\r\ncd", 1, 3, 2),
        ("ab\r\ncd\r\n", 3, 1, 8),
        ("a😀b", 1, 3, 2),
        ("a\u2028b\nc", 2, 2, 5),
    ],
)
def test_place_to_offset(text, line, column, offset):
    assert offset_at(document(text), line, column) == offset


@pytest.mark.parametrize(("line", "column"), [(0, 1), (3, 1), (-1, 1), (1, 0), (1, 4), (2, 4)])
def test_place_outside_is_wrong_usage(line, column):
    with pytest.raises(UsageError, match="is outside"):
        offset_at(document("ab\r\ncd"), line, column)


def test_line_ends_are_kept_and_a_byte_order_mark_is_not(tmp_path):
    path = tmp_path / "a.ts"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\r")
    read = read_document(str(path), None)
    assert (read.text, read.language) == ("a\r\nb\r", "typescript")
    assert read.uri == path.as_uri()


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"\x7fELF\x00\x01", "is binary"), (b"caf\xe9", "is not UTF-8: byte 3 is 0xe9")],
)
def test_bytes_that_are_not_text_are_refused(tmp_path, data, message):
    path = tmp_path / "a.py"
    path.write_bytes(data)
    with pytest.raises(FimbleError, match=message) as caught:
        read_document(str(path), None)
    assert caught.value.hint
    assert caught.value.exit_code == 1


def test_missing_file_and_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.py", tmp_path):
        with pytest.raises(FimbleError, match="cannot read"):
            read_document(str(path), None)


def test_standard_input_has_the_language_it_is_given(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("α\r\n".encode())))
    read = read_document("-", "go")
    assert (read.uri, read.language, read.text) == ("untitled:stdin", "go", "α\r\n")
