"""VS Code: ghost text on the screen, and every key that acts on it."""

from __future__ import annotations

import pytest

from editors.script import BELOW, BODY, HEAD
from editors.tools import until

START = "import os\n"
DONE = START + HEAD + BODY.rstrip("\n")


def test_appears_while_typing_and_tab_takes_it(window):
    path = window.open("typing.py", START)
    window.type(HEAD)
    window.until_ghost("", *BELOW)
    window.press("Tab")
    window.until_no_ghost()
    window.until_saved(path, DONE)


def test_undo_is_one_step(window):
    path = window.open("undo.py", START)
    window.type(HEAD)
    window.until_ghost("", *BELOW)
    window.press("Tab")
    window.until_saved(path, DONE)
    window.press("Control+z")
    window.until_saved(path, START + HEAD)


def test_escape_hides(window):
    path = window.open("escape.py", START)
    window.type(HEAD)
    window.until_ghost("", *BELOW)
    window.press("Escape")
    window.until_no_ghost()
    window.until_saved(path, START + HEAD)


def test_closing_bracket_that_vs_code_put_there(window):
    path = window.open("bracket.py", START)
    window.type("def multiply(")
    window.until_ghost("a, b:")
    window.press("Tab")
    window.until_saved(path, START + "def multiply(a, b):")


def test_typing_through_keeps_the_rest(window):
    window.open("through.py", START)
    window.type("def multiply(")
    window.until_ghost("a, b:")
    window.type("a, ")
    window.until_ghost("b:")


def test_accept_word_then_the_rest(window):
    path = window.open("word.py", START)
    window.type("def multiply(")
    window.until_ghost("a, b:")
    window.press("Control+ArrowRight")
    window.until_ghost(", b:")
    window.press("Tab")
    window.until_saved(path, START + "def multiply(a, b):")


def test_accept_line(window):
    window.open("line.py", START)
    window.type(HEAD)
    window.until_ghost("", *BELOW)
    # The first line to take is the end of the one that the cursor is in.
    window.press("Control+Alt+l")
    window.until_ghost(*BELOW)
    window.press("Control+Alt+l")
    until(lambda: window.ghost.strip() == BELOW[1].strip(), "the last line", lambda: window.ghost)
    # What is on disk may lack the new line's indentation: saving trims it.
    assert BELOW[0] in window.editor_text.split("\n")


def test_alternatives(window):
    path = window.open("alternatives.py", START)
    window.type("price = ")
    window.until_ghost("base")
    window.press("Control+Alt+n")
    window.until_ghost("base2")
    window.press("Control+Alt+p")
    window.until_ghost("base")
    window.press("Tab")
    window.until_saved(path, START + "price = base")


@pytest.mark.parametrize(
    "before",
    ["名前 =", "e\u0301 =", "s = '😀👩\u200d👩\u200d👧' +", "\tif x =="],
    ids=["cjk", "combining", "emoji", "tab"],
)
def test_wide_text_before_the_cursor(window, before, request):
    start = "# wide\n" + before
    path = window.open(f"wide-{request.node.callspec.id}.py", start)
    window.type(" ")
    window.until_ghost("値 + 😀x")
    window.press("Tab")
    window.until_saved(path, start + " 値 + 😀x")


def test_crlf_file(window):
    path = window.open("crlf.py", "import os\r\n")
    window.type(HEAD)
    window.until_ghost("", *BELOW)
    window.press("Tab")
    window.until_saved(path, DONE.replace("\n", "\r\n"))


def test_untitled_file(window):
    window.new_file()
    window.type("shopping list")
    window.until_ghost(": milk")
