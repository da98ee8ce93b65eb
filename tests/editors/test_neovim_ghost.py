"""Neovim 0.11: ghost text on the screen, and every key that acts on it."""

from __future__ import annotations

import pytest

from editors.neovim import Neovim
from editors.tools import until

HEAD = "def add(a, b):"
BODY = {"when": HEAD, "text": "\n    total = a + b\n    return total\n"}
BELOW = ("    total = a + b", "    return total")
PARAMETERS = {"when": "def add(", "text": "a, b):"}


@pytest.fixture
def editor(start_neovim, home, tmp_path):
    """A Neovim with an empty Python file open, in Insert mode at its end."""

    def open_with(*answers, text="import os\n\n", name="a.py") -> Neovim:
        home.answer(*answers)
        editor = start_neovim()
        editor.open(tmp_path / name, text)
        editor.keys("GA")
        return editor

    return open_with


def test_appears_while_typing(editor):
    nvim = editor(BODY)
    nvim.keys(HEAD)
    nvim.until_ghost("", *BELOW)
    assert nvim.screen[1:5] == [HEAD, *BELOW, "~"]
    assert nvim.text == ["import os", HEAD]


def test_tab_takes_all_and_undo_takes_it_back(editor):
    nvim = editor(BODY)
    nvim.keys(HEAD)
    nvim.until_ghost("", *BELOW)
    nvim.keys("<Tab>")
    nvim.until_text("import os", HEAD, *BELOW)
    assert tuple(nvim.rpc.current.window.cursor) == (4, len("    return total"))
    nvim.until_no_ghost()
    nvim.keys("<Esc>u")
    nvim.until_text("import os", HEAD)


def test_tab_without_ghost_text_is_a_tab(editor):
    nvim = editor()
    nvim.keys("x<Tab>y")
    nvim.until_text("import os", "x   y")


def test_tab_without_ghost_text_calls_the_mapping_before(start_neovim, home, tmp_path):
    home.answer()
    nvim = start_neovim("vim.keymap.set('i', '<Tab>', function() return 'mapped' end, { expr = true }) or {}")
    nvim.open(tmp_path / "a.py", "\n")
    nvim.keys("i<Tab>")
    nvim.until_text("mapped")
    nvim.lua("require('fimble').teardown()")
    nvim.keys("<Tab>")
    nvim.until_text("mappedmapped")


def test_dismiss(editor):
    nvim = editor(BODY)
    nvim.keys(HEAD)
    nvim.until_ghost("", *BELOW)
    nvim.keys("<C-]>")
    nvim.until_no_ghost()
    assert nvim.text == ["import os", HEAD]


def test_leaving_insert_mode_hides(editor):
    nvim = editor(BODY)
    nvim.keys(HEAD)
    nvim.until_ghost("", *BELOW)
    nvim.keys("<Esc>")
    nvim.until_no_ghost()


def test_typing_through_keeps_the_rest(editor):
    nvim = editor(PARAMETERS)
    nvim.keys("def add(")
    nvim.until_ghost("a, b):")
    nvim.keys("a, ")
    nvim.until_ghost("b):")
    assert nvim.screen[1] == "def add(a, b):"


def test_typing_something_else_hides(editor):
    nvim = editor(BODY | {"times": 1})
    nvim.keys(HEAD)
    nvim.until_ghost("", *BELOW)
    nvim.keys(" #")
    nvim.until_no_ghost()
    nvim.until_text("import os", HEAD + " #")


def test_accept_word(editor):
    nvim = editor(PARAMETERS)
    nvim.keys("def add(")
    nvim.until_ghost("a, b):")
    nvim.keys("<M-Right>")
    nvim.until_text("import os", "def add(a")
    nvim.until_ghost(", b):")
    nvim.keys("<M-Right><M-Right>")
    nvim.until_text("import os", "def add(a, b")
    nvim.until_ghost("):")
    nvim.keys("<Tab>")
    nvim.until_text("import os", "def add(a, b):")


def test_accept_line(editor):
    nvim = editor(BODY)
    nvim.keys(HEAD)
    nvim.until_ghost("", *BELOW)
    nvim.keys("<M-Down>")
    nvim.until_text("import os", HEAD, BELOW[0])
    nvim.until_ghost("", BELOW[1])
    nvim.keys("<M-Down>")
    nvim.until_text("import os", HEAD, *BELOW)
    nvim.until_no_ghost()


def test_closing_bracket_that_is_there_already(editor):
    nvim = editor(PARAMETERS)
    nvim.keys("def add()<Left>")
    nvim.until_ghost("a, b|:")
    assert nvim.screen[1] == "def add(a, b):"
    nvim.keys("<Tab>")
    nvim.until_text("import os", "def add(a, b):")


def test_alternatives(editor):
    nvim = editor({"when": "total =", "text": " price"})
    nvim.keys("total = ")
    nvim.until_ghost("price")
    nvim.keys("<M-]>")
    nvim.until_ghost("price2")
    assert nvim.screen[1].startswith("total = price2 2/")
    nvim.keys("<M-[>")
    nvim.until_ghost("price")
    nvim.keys("<M-]>")
    nvim.until_ghost("price2")
    nvim.keys("<Tab>")
    nvim.until_text("import os", "total = price2")


@pytest.mark.parametrize(
    "before",
    ["名前 =", "e\u0301 =", "s = '😀👩\u200d👩\u200d👧' +", "\tif x =="],
    ids=["cjk", "combining", "emoji", "tab"],
)
def test_wide_text_before_the_cursor(editor, before):
    nvim = editor({"when": before, "text": " 値 + 😀x"})
    nvim.rpc.api.buf_set_lines(0, 1, 2, False, [before])
    nvim.keys("<End> ")
    nvim.until_ghost("値 + 😀x")
    assert "値 + 😀x" in nvim.screen[1]
    nvim.keys("<Tab>")
    nvim.until_text("import os", before + " 値 + 😀x")


def test_crlf_file(editor, tmp_path):
    nvim = editor(BODY, text="import os\r\n\r\n")
    nvim.keys(HEAD)
    nvim.until_ghost("", *BELOW)
    nvim.keys("<Tab>")
    until(lambda: len(nvim.text) == 4, "accepted")
    nvim.keys("<Esc>:w<CR>")
    wanted = "\r\n".join(["import os", HEAD, *BELOW, ""]).encode()
    until(lambda: (tmp_path / "a.py").read_bytes() == wanted, "written with its own line ends")
