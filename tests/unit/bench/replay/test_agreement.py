"""When a suggestion agrees, and how much of it is taken."""

from __future__ import annotations

import pytest

from fimble.bench.replay.agreement import agrees, begins_right, first_words, is_exact_line, taken_chars
from fimble.bench.replay.screen import Ghost

REST = "return value.strip()\n\n\ndef other():\n    pass\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("return", True),
        ("return value.strip()", True),
        ("return None", True),
        ("ret", False),
        ("raise", False),
        (" return", False),
        ("", False),
    ],
)
def test_first_word_makes_a_right_beginning(text, expected):
    assert begins_right(Ghost(text, 0.0), REST) is expected


@pytest.mark.parametrize(
    ("rest", "needed"),
    [
        ("x = call(1)", "x ="),
        ("if ready:", "if ready"),
        (")\n    return x", ")"),
        ("\n    return x", "\n    return"),
        (" value", " value"),
        ("", ""),
    ],
)
def test_short_words_are_not_enough(rest, needed):
    assert first_words(rest) == needed


def test_nothing_visible_and_what_replaces_text_do_not_agree():
    replacing = Ghost("return value", 0.0, n_replaced_chars=1)
    assert [agrees(ghost) for ghost in (None, replacing, Ghost("x", 0.0))] == [False, False, True]
    assert not begins_right(None, REST)
    assert not begins_right(replacing, REST)
    assert not taken_chars(Ghost("return value", 0.0, n_replaced_chars=1), REST)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("return value.strip()", "return value.strip()"),
        ("return value", "return value"),
        ("return value.strip()  ", "return value.strip()"),
        ("return value.lower()", ""),
        ("return value.strip()\n\n\ndef other():", "return value.strip()\n\n\ndef other():"),
        ("return value.strip()\n\n\ndef main():", "return value.strip()"),
        ("return value\n\n\ndef other():", ""),
        ("re", ""),
    ],
)
def test_whole_right_lines_are_taken(text, taken):
    assert text[: taken_chars(Ghost(text, 0.0), REST)] == taken


def test_line_end_first_is_part_of_the_first_line():
    assert taken_chars(Ghost("\n    return x\n", 0.0), "\n    return x\n}") == len("\n    return x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("return value.strip()", True), ("return value.strip() \nx", True), ("return value", False), ("  ", False)],
)
def test_exact_line(text, expected):
    assert is_exact_line(text, REST) is expected
