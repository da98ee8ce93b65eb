"""Random edits: the document store agrees with a plain model that works on UTF-16 code units."""

import re
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fimble.text import line_index
from fimble.text.document import DocumentSnapshot
from fimble.text.edit import TextEdit, replaced
from fimble.text.position import Encoding, Position
from fimble.text.store import DocumentStore

# Line ends, what only looks like one, one and two UTF-16 units, combining marks, and halves of a pair.
PIECES = ["\n", "\r", "\r\n", "\u2028", "\u0085", "\f", "\x1c", "a", "bc", " ", "\t", "é", "e\u0301", "漢", "😀", "𝒳"]
HALVES = ["\ud83d", "\ude00"]

texts = st.lists(st.sampled_from(PIECES + HALVES), max_size=12).map("".join)
# Lines and characters beyond the text are part of what editors send.
places = st.tuples(st.integers(0, 9), st.integers(0, 9))
ranged_edits = st.tuples(places, places, texts)
whole_edits = st.tuples(st.none(), st.none(), texts)
edits = st.one_of(ranged_edits, ranged_edits, ranged_edits, ranged_edits, whole_edits)
notifications = st.lists(st.lists(edits, max_size=4), min_size=1, max_size=5)

LF, CR = 0x0A, 0x0D


def units(text: str) -> list[int]:
    data = text.encode("utf-16-le", "surrogatepass")
    return [data[i] | data[i + 1] << 8 for i in range(0, len(data), 2)]


def text_of(code_units: list[int]) -> str:
    data = b"".join(unit.to_bytes(2, "little") for unit in code_units)
    return data.decode("utf-16-le", "surrogatepass")


def lines(code_units: list[int]) -> list[tuple[int, int]]:
    """Give (start, end without its line end) of each line, unit by unit."""
    found, start, i = [], 0, 0
    while i < len(code_units):
        n_end = 0
        if code_units[i] == CR and i + 1 < len(code_units) and code_units[i + 1] == LF:
            n_end = 2
        elif code_units[i] in (CR, LF):
            n_end = 1
        if n_end:
            found.append((start, i))
            start = i = i + n_end
        else:
            i += 1
    return [*found, (start, len(code_units))]


def index_of(code_units: list[int], line: int, character: int) -> int:
    spans = lines(code_units)
    if line >= len(spans):
        return len(code_units)
    start, end = spans[line]
    index = min(start + character, end)
    inside_pair = 0 < index < len(code_units) and is_low(code_units[index]) and is_high(code_units[index - 1])
    return index - 1 if inside_pair and index > start else index


def is_high(unit: int) -> bool:
    return 0xD800 <= unit <= 0xDBFF


def is_low(unit: int) -> bool:
    return 0xDC00 <= unit <= 0xDFFF


def edited(code_units: list[int], start: tuple[int, int], end: tuple[int, int], text: str) -> list[int]:
    low, high = sorted((index_of(code_units, *start), index_of(code_units, *end)))
    return [*code_units[:low], *units(text), *code_units[high:]]


def line_starts(text: str) -> tuple[int, ...]:
    """Give the offsets in code points at which lines start, by splitting the whole text."""
    starts, offset = [0], 0
    for piece in re.split(r"(\r\n|\r|\n)", text):
        offset += len(piece)
        if piece in ("\r\n", "\r", "\n"):
            starts.append(offset)
    return tuple(starts)


@settings(max_examples=max(2000, settings.default.max_examples))
@given(texts, notifications)
@example("a\nb", [[((0, 1), (0, 1), "\r")]])
@example("a\rb", [[((1, 0), (1, 0), "\n")]])
@example("\rx\n", [[((1, 0), (1, 1), "")]])
@example("x\ude00", [[((0, 0), (0, 1), "\ud83d")]])
@example("\ud83dx\ude00", [[((0, 1), (0, 2), "")]])
def test_edits_agree_with_utf16_reference(text, batches):
    store = DocumentStore(Encoding.UTF16)
    store.open("file:///a", "python", 0, text)
    model = units(text)
    for version, batch in enumerate(batches, start=1):
        sent = []
        for start, end, new in batch:
            if start is None:
                model = units(new)
                sent.append(TextEdit(new))
            else:
                model = edited(model, start, end, new)
                sent.append(TextEdit(new, Position(*start), Position(*end)))
        document = store.apply("file:///a", version, sent)
        assert document is not None and document.version == version
        assert document.text == text_of(model)
        assert document.line_starts == line_starts(document.text)


@pytest.mark.parametrize("n_chunk_lines", [1, 2, line_index.CHUNK_LINES])
@given(text=texts, steps=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), texts), max_size=8))
def test_line_index_agrees_with_rescan(n_chunk_lines, text, steps):
    """Offsets, unlike positions, may lie between a CR and its LF, so this also splits line ends."""
    with patch.object(line_index, "CHUNK_LINES", n_chunk_lines):
        check_against_rescan(text, steps)


def check_against_rescan(text, steps):
    document = DocumentSnapshot("file:///a", "python", 0, text_of(units(text)))
    for version, (one, other, new) in enumerate(steps, start=1):
        low, high = sorted((min(one, len(document.text)), min(other, len(document.text))))
        document = replaced(document, version, low, high, new)
        starts = line_starts(document.text)
        assert document.line_starts == starts
        assert [document.line_start(line) for line in range(document.n_lines)] == list(starts)
        expected = [sum(start <= offset for start in starts) - 1 for offset in range(len(document.text) + 1)]
        assert [document.line_of(offset) for offset in range(len(document.text) + 1)] == expected
