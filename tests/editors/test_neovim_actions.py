"""Neovim 0.11: code actions by `:Fimble action`."""

from __future__ import annotations

import pytest

from editors.script import BROKEN, COMMENT, FIXED, FUNCTION, SCRIPT
from editors.tools import until


@pytest.fixture
def nvim(start_neovim, home):
    """A Neovim whose menus are answered with the entry that `choice` names."""
    home.answer(*SCRIPT["long"], *SCRIPT["comment"], *SCRIPT["fix"])
    nvim = start_neovim()
    nvim.lua(
        """vim.ui.select = function(items, options, on_choice)
          for _, item in ipairs(items) do
            if options.format_item(item):find(vim.g.choice, 1, true) then return on_choice(item) end
          end
        end"""
    )
    return nvim


def test_chinese_comment_becomes_a_function(nvim, tmp_path):
    nvim.open(tmp_path / "a.py", COMMENT)
    nvim.rpc.vars["choice"] = "Write the code this comment asks for"
    nvim.keys(":Fimble action<CR>")
    nvim.until_text(*(COMMENT + FUNCTION).splitlines())
    nvim.keys("u")
    nvim.until_text(COMMENT.strip())


def test_fix_from_a_diagnostic(nvim, tmp_path):
    nvim.open(tmp_path / "a.js", BROKEN)
    nvim.lua(
        """vim.diagnostic.set(vim.api.nvim_create_namespace("other"), 0, {
          { lnum = 1, col = 12, end_lnum = 1, end_col = 13, message = "Expression expected.", source = "ts" } })"""
    )
    nvim.rpc.vars["choice"] = "Fix"
    nvim.keys(":2Fimble action<CR>")
    nvim.until_text(*FIXED.splitlines())


def test_progress_and_cancel_of_a_long_action(nvim, tmp_path):
    text = "# endless: write a function that never ends"
    nvim.open(tmp_path / "a.py", text + "\n")
    nvim.rpc.vars["choice"] = "Write the code this comment asks for"
    nvim.keys(":Fimble action<CR>")
    until(lambda: any("go_on()" in row for row in nvim.screen), "the line being written", lambda: nvim.screen)
    assert any(":Fimble cancel" in row for row in nvim.screen)
    nvim.keys(":Fimble cancel<CR>")
    until(lambda: not any("go_on()" in row for row in nvim.screen), "the window is gone", lambda: nvim.screen)
    assert nvim.text == [text]
    assert "cancelled: " in nvim.notices
    nvim.rpc.command("Fimble cancel")
    assert "no action runs" in nvim.notices
