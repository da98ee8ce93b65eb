"""Offsets and positions: each way and back, in the three encodings of LSP 3.18."""

from hypothesis import given
from hypothesis import strategies as st

from fimble.text.document import DocumentSnapshot
from fimble.text.position import Encoding, Position, n_units, to_offset, to_offset_strict, to_position

PIECES = ["\n", "\r", "\r\n", "\u2028", "\u0085", "\f", "a", "bc", "\t", "é", "e\u0301", "漢", "😀", "𝒳"]
CODECS = {Encoding.UTF8: ("utf-8", 1), Encoding.UTF16: ("utf-16-le", 2), Encoding.UTF32: ("utf-32-le", 4)}

texts = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)
encodings = st.sampled_from(list(Encoding))


def document_of(text: str) -> DocumentSnapshot:
    return DocumentSnapshot("file:///a", "python", 1, text)


@given(texts, encodings)
def test_offset_to_position_to_offset_is_identity(text, encoding):
    document = document_of(text)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] == "\r\n":
            continue
        position = to_position(document, offset, encoding)
        assert to_offset(document, position, encoding) == offset
        assert to_offset_strict(document, position, encoding) == offset


@given(texts, encodings, st.integers(0, 9), st.integers(0, 20))
def test_position_means_units_of_its_encoding(text, encoding, line, character):
    """Cut the line's encoded bytes: the offset is that of the last whole character before the cut."""
    document = document_of(text)
    offset = to_offset(document, Position(line, character), encoding)
    codec, n_unit_bytes = CODECS[encoding]
    if line >= document.n_lines:
        assert offset == len(text)
        assert to_offset_strict(document, Position(line, character), encoding) is None
        return
    content = text[document.line_start(line) : document.line_end(line)]
    assert not set(content) & {"\r", "\n"}
    whole = content.encode(codec)[: character * n_unit_bytes].decode(codec, errors="ignore")
    assert offset - document.line_start(line) == len(whole)


@given(texts, encodings)
def test_n_units_counts_encoded_units(text, encoding):
    codec, n_unit_bytes = CODECS[encoding]
    assert n_units(text, encoding) == len(text.encode(codec)) // n_unit_bytes


@given(texts, encodings)
def test_place_inside_crlf_is_the_line_end(text, encoding):
    document = document_of(text)
    for offset in range(1, len(text)):
        if text[offset - 1 : offset + 1] == "\r\n":
            assert to_position(document, offset, encoding) == to_position(document, offset - 1, encoding)
