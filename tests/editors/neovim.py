"""A Neovim in a child process, as a person at the keyboard sees it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from pathlib import Path

import pynvim

from editors.tools import Tools, until

PLUGIN = Path(__file__).resolve().parents[2] / "editor-client" / "nvim"
COLUMNS, ROWS = 100, 30
SCREEN = """
  vim.cmd.redraw()
  local rows = {}
  for row = 1, vim.o.lines do
    local cells = {}
    for column = 1, vim.o.columns do cells[#cells + 1] = vim.fn.screenstring(row, column) end
    rows[#rows + 1] = (table.concat(cells):gsub("%s+$", ""))
  end
  return rows
"""
GHOST = """
  local namespace = vim.api.nvim_get_namespaces().fimble
  local first, below = {}, {}
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })) do
    local details = mark[4]
    if details.virt_text_pos == "inline" then table.insert(first, details.virt_text[1][1]) end
    for _, line in ipairs(details.virt_lines or {}) do table.insert(below, line[1][1]) end
  end
  return { table.concat(first, "|"), below }
"""


class Neovim:
    """One Neovim with the plugin; `keys` types, `screen` reads what stands there, real text and ghost text alike."""

    def __init__(self, tools: Tools, environment: dict[str, str], folder: Path, setup: str | None) -> None:
        init = folder / "init.lua"
        call = f"require('fimble').setup({setup})" if setup is not None else ""
        init.write_text(
            # A message that does not fit would wait for Enter, and so would every question of ours.
            "vim.g.notices = {}\nvim.notify = function(text)\n"
            "  vim.g.notices = vim.list_extend(vim.g.notices, { text })\nend\n"
            "vim.o.swapfile = false\nvim.o.shadafile = 'NONE'\nvim.o.showmode = false\nvim.o.laststatus = 0\n"
            f"vim.opt.runtimepath:append({json.dumps(str(PLUGIN))})\n{call}\n"
        )
        variables = [f"{name}={value}" for name, value in environment.items()]
        argv = ["env", "-i", *variables, str(tools.nvim), "--embed", "--headless", "--clean", "-u", str(init)]
        self.rpc = pynvim.attach("child", argv=argv)
        self._pid = self.rpc.funcs.getpid()
        self.rpc.ui_attach(COLUMNS, ROWS, rgb=True)

    def close(self) -> None:
        """End it, whatever it waits for; its server sees that the editor is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        with contextlib.suppress(OSError, EOFError):
            self.rpc.close()

    def open(self, path: Path, text: str | None = None, *, state: str | None = "ready") -> None:
        """Edit a file and wait until the server is in `state`."""
        if text is not None:
            path.write_bytes(text.encode("utf-8"))
        self.rpc.command(f"edit {path}")
        if state is not None:
            until(lambda: self.state == state and self.is_attached, f"the server is {state}", lambda: self.state)

    @property
    def state(self) -> str | None:
        return self.lua("local now = require('fimble.status').current return now and now.state")

    @property
    def asked_state(self) -> str | None:
        """What the server that is there now says of itself; `state` is the last that was heard of any."""
        return self.lua(
            """local client = require('fimble.client').get(0)
            local answer = client and client:request_sync('fimble/status', vim.empty_dict(), 1000)
            return answer and answer.result and answer.result.state"""
        )

    @property
    def is_attached(self) -> bool:
        return self.lua("local c = require('fimble.client').get(0) return c ~= nil and c.initialized == true")

    def lua(self, code: str, *arguments):
        return self.rpc.exec_lua(code, *arguments)

    def keys(self, keys: str) -> None:
        self.rpc.input(keys)

    def unblock(self) -> None:
        """Answer a question that Neovim asks the user, if it does: until then it answers nobody."""
        if self.rpc.api.get_mode()["blocking"]:
            self.keys("<CR>")

    @property
    def text(self) -> list[str]:
        return list(self.rpc.current.buffer[:])

    @property
    def screen(self) -> list[str]:
        return self.lua(SCREEN)

    @property
    def ghost(self) -> tuple[str, list[str]]:
        """What the cursor's line gets (`|` where real text comes between), and the lines below."""
        first, below = self.lua(GHOST)
        return first, below

    def until_ghost(self, first: str, *below: str) -> None:
        wanted = (first, list(below))
        until(lambda: self.ghost == wanted, f"ghost text {wanted}", lambda: (self.ghost, self.text))

    def until_no_ghost(self) -> None:
        until(lambda: self.ghost == ("", []), "no ghost text")

    def until_text(self, *lines: str) -> None:
        until(lambda: self.text == list(lines), f"the text {lines}", lambda: self.text)

    @property
    def notices(self) -> str:
        """What the user was told, a line each."""
        return "\n".join(self.rpc.vars["notices"])
