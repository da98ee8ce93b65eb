"""Neovim 0.11: the server's life, the settings, and what the user is told."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from editors.tools import until

HEAD = "def add(a, b):"
BODY = {"when": HEAD, "text": "\n    return a + b\n"}


def type_head(nvim):
    """Type the head of a function and wait until its body is seen."""
    nvim.keys("A" + HEAD)
    nvim.until_ghost("", "    return a + b")


def with_ghost(start_neovim, home, tmp_path, *setup):
    """Give a Neovim with an open file that shows ghost text."""
    home.answer(BODY)
    nvim = start_neovim(*setup)
    nvim.open(tmp_path / "a.py", "\n")
    type_head(nvim)
    return nvim


def test_server_killed_and_back(start_neovim, home, tmp_path):
    nvim = with_ghost(start_neovim, home, tmp_path)
    nvim.keys("<C-]>")
    (server,) = home.servers()
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, "the server is gone")
    until(lambda: home.servers() and home.servers()[0].pid != server.pid, "another server")
    until(lambda: nvim.is_attached and nvim.asked_state == "ready", "the buffer is attached again")
    nvim.keys("<BS>:")
    nvim.until_ghost("", "    return a + b")


def test_daemon_killed_and_back(start_neovim, home, tmp_path):
    nvim = with_ghost(start_neovim, home, tmp_path)
    nvim.keys("<C-]>")
    (daemon,) = home.daemons()
    os.kill(daemon.pid, signal.SIGKILL)
    until(lambda: [d.pid for d in home.daemons()] not in ([], [daemon.pid]), "another daemon")
    # What is asked while the model loads is declined, and not answered later.
    until(lambda: nvim.asked_state == "ready", "the new daemon has its model", lambda: nvim.asked_state)
    nvim.keys("<BS>:")
    nvim.until_ghost("", "    return a + b")


def test_two_editors_share_one_daemon(start_neovim, home, tmp_path):
    home.answer(BODY)
    editors = [start_neovim(), start_neovim()]
    for n, nvim in enumerate(editors):
        nvim.open(tmp_path / f"{n}.py", "\n")
        type_head(nvim)
    assert len(home.servers()) == 2
    assert len(home.daemons()) == 1


def test_server_that_ends_again_and_again(start_neovim, home, tmp_path):
    home.command.write_text("#!/bin/sh\nexit 3\n")
    nvim = start_neovim()
    nvim.open(tmp_path / "a.py", "\n", state=None)
    until(lambda: nvim.state == "failed", "the plugin gives up")
    assert "the server ended again and again; see `:Fimble log`" in nvim.notices


def test_setting_changed_while_running(start_neovim, home, tmp_path):
    home.answer(BODY)
    nvim = start_neovim("{ server = { multiline = 'never' } }")
    nvim.open(tmp_path / "a.py", "\n")
    nvim.keys("A" + HEAD + "<Esc>")
    nvim.lua("require('fimble.client').send_options({ languages_off = { 'python' } })")
    nvim.keys("A ")
    until(lambda: "language-off" in explained(nvim), "declined for the language")
    nvim.lua("require('fimble.client').send_options({ multiline = 'always' })")
    nvim.keys("<BS>")
    nvim.until_ghost("", "    return a + b")


def test_toggle_and_pause(start_neovim, home, tmp_path):
    home.answer(BODY)
    nvim = start_neovim()
    nvim.open(tmp_path / "a.py", "\n")
    nvim.rpc.command("Fimble toggle")
    until(lambda: nvim.state == "off", "off")
    assert nvim.lua("return require('fimble').statusline()") == "fimble: off"
    nvim.rpc.command("Fimble toggle")
    until(lambda: nvim.state == "ready", "on")
    nvim.rpc.command("Fimble pause 5")
    until(lambda: nvim.state == "off", "paused")
    assert nvim.lua("return require('fimble').statusline()") == "fimble: paused"
    nvim.rpc.command("Fimble pause")
    until(lambda: nvim.state == "ready", "goes on")
    assert nvim.lua("return require('fimble').statusline()") == "fimble"
    type_head(nvim)


def test_explain(start_neovim, home, tmp_path):
    nvim = with_ghost(start_neovim, home, tmp_path)
    nvim.keys("<Esc>:Fimble explain<CR>")
    until(lambda: any("the last request" in row for row in nvim.screen), "the window")
    assert any("shown: python, automatic" in row for row in nvim.screen)
    nvim.keys("q")
    until(lambda: not any("the last request" in row for row in nvim.screen), "the window is closed")


def test_no_command(start_neovim, home, tmp_path):
    nvim = start_neovim("{ cmd = { 'fimble-that-is-not-there', 'serve' } }")
    nvim.open(tmp_path / "a.py", "\n", state=None)
    until(lambda: "`fimble-that-is-not-there` was not found; install fimble" in nvim.notices, "the message")
    nvim.rpc.command("checkhealth fimble")
    text = "\n".join(nvim.text)
    assert "ERROR `fimble-that-is-not-there` cannot be run" in text
    assert "pip install fimble" in text


def test_model_missing(start_neovim, home, tmp_path):
    home.configure(engine="ctranslate2")
    nvim = start_neovim()
    nvim.open(tmp_path / "a.py", "\n", state="missing")
    assert nvim.lua("return require('fimble').statusline()") == "fimble: no model"
    until(lambda: "fimble models pull qwen2.5-coder-0.5b" in nvim.notices, "the hint")


def test_checkhealth(start_neovim, home, tmp_path):
    nvim = start_neovim()
    nvim.open(tmp_path / "a.py", "\n")
    nvim.rpc.command("checkhealth fimble")
    text = "\n".join(nvim.text)
    assert "ERROR" not in text and "WARNING" not in text
    assert "accept: `<Tab>`" in text


def test_without_setup_then_teardown(start_neovim, home, tmp_path):
    nvim = with_ghost(start_neovim, home, tmp_path, None)
    nvim.lua("require('fimble').teardown()")
    nvim.until_no_ghost()
    until(lambda: not home.servers(), "no server is left")
    assert "fimble" not in str(nvim.lua("return vim.fn.maparg('<Tab>', 'i', false, true).desc or ''"))
    nvim.lua("require('fimble').setup({})")
    until(lambda: nvim.is_attached and nvim.state == "ready", "set up again")


@pytest.mark.parametrize(
    ("setup", "message"),
    [
        ("{ comand = {} }", "unknown option `comand`"),
        ("{ server = { delay_ms = 'soon' } }", "server.delay_ms: expected number"),
        ("{ keys = { accept = 7 } }", "keys.accept: expected string or false"),
    ],
)
def test_bad_option(start_neovim, setup, message):
    nvim = start_neovim("{}")
    problem = nvim.lua("local _, problem = pcall(require('fimble').setup, " + setup + ") return problem")
    assert message in problem


def explained(nvim) -> str:
    return nvim.lua(
        """local answer = require('fimble.client').get():request_sync(
          'workspace/executeCommand', { command = 'fimble.explain', arguments = {} }, 5000)
        return answer and answer.result and answer.result.text or ''"""
    )
