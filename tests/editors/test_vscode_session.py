"""VS Code: the server's life, the settings, the menu, and what the user is told."""

from __future__ import annotations

import os
import signal

from editors.script import BELOW, HEAD
from editors.tools import until
from editors.window import Window

START = "import os\n"


def test_server_killed_and_back(window):
    window.open("killed.py", START)
    (server,) = window.home.servers()
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: [s.pid for s in window.home.servers()] not in ([], [server.pid]), "another server")
    window.until_status("ready")
    window.type(HEAD)
    window.retype_until_ghost(":", BELOW[1])


def test_daemon_killed_and_back(window):
    window.open("daemon.py", START)
    (daemon,) = window.home.daemons()
    os.kill(daemon.pid, signal.SIGKILL)
    until(lambda: [d.pid for d in window.home.daemons()] not in ([], [daemon.pid]), "another daemon")
    window.until_status("ready")
    window.type(HEAD)
    window.retype_until_ghost(":", BELOW[1])


def test_two_windows_share_one_daemon(window, browser):
    window.open("first.py", START)
    second = Window(browser, window.server, window.home)
    try:
        second.until_status("ready")
        second.open("second.py", START)
        second.type(HEAD)
        second.until_ghost("", *BELOW)
        assert len(window.home.servers()) == 2
        assert len(window.home.daemons()) == 1
    finally:
        second.close()


def test_setting_changed_while_running(window):
    window.open("setting.py", START)
    window.server.configure({"fimble.enabled": False})
    window.until_status("ghost text is off")
    window.server.configure({})
    window.until_status("ready")
    window.type(HEAD)
    window.until_ghost("", *BELOW)


def test_disabled_language_and_explanation(window):
    window.server.configure({"fimble.languages_off": ["python"]})
    window.open("language.py", START)
    window.type(HEAD)
    window.retype_until_logged(":", "declined language-off")
    window.until_explained("declined: python, automatic, language-off")


def test_pause_and_resume(window):
    window.open("pause.py", START)
    window.menu("Pause for 10 minutes")
    window.until_status("Paused until")
    window.type(HEAD)
    window.retype_until_logged(":", "declined disabled")
    window.menu("Resume")
    window.until_status("ready")


def test_toggle_language_by_the_menu(window):
    window.open("toggle.py", START)
    window.menu("Turn off in python")
    window.type(HEAD)
    window.retype_until_logged(":", "declined language-off")
    window.menu("Turn on in python")
    window.retype_until_ghost(":", BELOW[1])


def test_no_command(window):
    window.server.configure({"fimble.path": "/nowhere/fimble"})
    window.until_toast("The setting `fimble.path` names `/nowhere/fimble`, which cannot be run")
    window.until_status("cannot be run")
    assert window.toast_buttons == ["Install fimble", "Open settings", "Not now"]
    window.menu_entries_are("Install fimble…", "Say where fimble is…", "Open the log", "Settings")
    window.server.configure({})
    window.until_status("ready")


def test_model_missing(window):
    window.server.configure({"fimble.engine": "ctranslate2"})
    window.until_toast("the model qwen2.5-coder-0.5b is not on this machine yet")
    assert "Download" in window.toast_buttons
    window.until_status("is not installed")
    window.server.configure({})
    window.until_status("ready")


def test_server_that_ends_again_and_again(window, tmp_path):
    broken = tmp_path / "fimble"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    window.server.configure({"fimble.path": str(broken)})
    window.until_toast("fimble ended again and again and is not started any more")
    assert window.toast_buttons == ["Start again", "Open log"]
    window.server.configure({})
    window.until_status("ready")


def test_bad_option_is_named(window):
    window.server.configure({"fimble.delay_ms": "soon"})
    window.until_toast("option `delay_ms` must be a whole number")


def test_doctor(window):
    window.command("fimble: Run the Doctor")
    window.page.wait_for_selector('.tab.active[data-resource-name="Doctor.txt"]', timeout=60_000)
    until(lambda: "python" in window.editor_text.lower(), "the doctor's report", lambda: window.editor_text)
