"""Places where editors and programs count differently."""

import pytest

from fimble.text.document import DocumentSnapshot
from fimble.text.position import Encoding, Position, to_offset, to_offset_strict, to_position


def document_of(text):
    return DocumentSnapshot("file:///a", "python", 1, text)


@pytest.mark.parametrize(
    ("encoding", "character"),
    [(Encoding.UTF8, 7), (Encoding.UTF16, 4), (Encoding.UTF32, 3)],
)
def test_units_of_the_encodings(encoding, character):
    document = document_of("é😀ab")
    # é is 2, 1, 1 units, the emoji 4, 2, 1, a 1.
    assert to_offset(document, Position(0, character), encoding) == 3
    assert to_position(document, 3, encoding) == Position(0, character)


@pytest.mark.parametrize("character", [2, 3])
def test_place_inside_a_character_is_its_start_in_utf8(character):
    assert to_offset(document_of("aé漢"), Position(0, character + 2), Encoding.UTF8) == 2


@pytest.mark.parametrize("mark", ["\u2028", "\u0085", "\f", "\x1c", "\v"])
def test_only_three_line_ends_end_a_line(mark):
    document = document_of(f"a{mark}b\nc")
    assert document.n_lines == 2
    assert to_position(document, 4, Encoding.UTF16) == Position(1, 0)


def test_character_beyond_the_line_is_its_end_not_the_next_line():
    document = document_of("ab\r\ncd")
    assert to_offset(document, Position(0, 99), Encoding.UTF16) == 2
    assert to_offset_strict(document, Position(0, 99), Encoding.UTF16) == 2


def test_line_beyond_the_text_is_outside():
    document = document_of("ab\n")
    assert to_offset(document, Position(2, 0), Encoding.UTF16) == 3
    assert to_offset_strict(document, Position(1, 0), Encoding.UTF16) == 3
    assert to_offset_strict(document, Position(2, 0), Encoding.UTF16) is None


def test_lone_half_of_a_pair_counts_one_unit():
    document = document_of("\ud83da")
    assert to_offset(document, Position(0, 1), Encoding.UTF16) == 1
    assert to_position(document, 2, Encoding.UTF16) == Position(0, 2)
