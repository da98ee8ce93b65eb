"""VS Code: what it takes to start, and what a folder that is opened may decide."""

from __future__ import annotations

import json

import pytest

from editors.script import BELOW, HEAD
from editors.stand_in import make_wheel

START = "import os\n"


@pytest.fixture
def workspace_settings(window):
    """Write the settings that the opened folder brings along."""
    path = window.server.workspace / ".vscode" / "settings.json"

    def write(**settings):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({f"fimble.{key}": value for key, value in settings.items()}))

    yield write
    path.unlink()
    window.until_status("ready")


def test_without_command_one_is_installed_when_the_user_agrees(window, tmp_path):
    wheel = make_wheel(tmp_path, window.home.command)
    window.server.configure({"fimble.path": "", "fimble.package": str(wheel)})
    window.until_toast("The `fimble` command was not found. It can be installed into an environment of its own")
    assert window.toast_buttons == ["Install fimble", "Open settings", "Not now"]
    window.page.locator(".notification-toast").get_by_role("button", name="Install fimble").click()
    window.until_status("ready")
    window.open("installed.py", START)
    window.type(HEAD)
    window.until_ghost("", *BELOW)
    window.server.configure({})
    window.until_status("ready")


def test_a_package_that_cannot_be_installed_leaves_nothing_behind(window, tmp_path):
    missing = tmp_path / "fimble-0.0.2-py3-none-any.whl"
    window.server.configure({"fimble.path": str(tmp_path / "fimble"), "fimble.package": str(missing)})
    window.until_status("cannot be run")
    window.command("fimble: Install the Server…")
    window.until_toast(f"Installing {missing} failed")
    environments = window.server.storage.glob("**/environment")
    assert [path for path in environments if path.exists()] == []
    window.server.configure({})
    window.until_status("ready")


def test_a_folder_decides_neither_program_nor_engine(window, workspace_settings):
    chosen = {"engine": "ctranslate2", "path": "/nowhere/fimble", "arguments": ["--no-share"]}
    workspace_settings(enabled=False, **chosen)
    window.until_status("ghost text is off")
    # On again by the folder's own word, and by the engine that the user chose: the other one has no model here.
    workspace_settings(enabled=True, **chosen)
    window.until_status("ready")
    assert [("--no-share" in server.cmdline()) for server in window.home.servers()] == [False]


def test_activation_does_not_wait_for_the_server(window, tmp_path, artefacts):
    mute = tmp_path / "fimble"
    mute.write_text("#!/bin/sh\nwhile read -r line; do :; done\n")
    mute.chmod(0o755)
    window.server.configure({"fimble.path": str(mute)})
    window.until_status("is starting")
    window.reload()
    window.until_status("is starting")
    figure = window.activation()
    assert "Activation: " in figure
    (artefacts / "vscode-activation.txt").write_text(figure + "\n")
    window.server.configure({})
    window.until_status("ready")
