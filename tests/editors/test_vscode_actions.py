"""VS Code: code actions by the lightbulb and by fimble's own menu."""

from __future__ import annotations

from editors.script import BROKEN, COMMENT, FIXED, FUNCTION
from editors.tools import until


def test_chinese_comment_becomes_a_function_and_undo_takes_it_back(window):
    path = window.open("comment.py", COMMENT)
    window.press("Control+Home")
    window.act_by_lightbulb("Write the code this comment asks for")
    window.until_saved(path, COMMENT + FUNCTION)
    window.press("Control+z")
    window.until_saved(path, COMMENT)


def test_own_menu(window):
    path = window.open("menu.py", COMMENT)
    window.press("Control+Home")
    window.command("fimble: Act on the Code Here", opens="Write the code")
    window.choose("Write the code this comment asks for")
    window.until_saved(path, COMMENT + FUNCTION)


def test_change_is_previewed(window):
    window.server.configure({"fimble.action_preview": True})
    path = window.open("preview.py", COMMENT)
    window.press("Control+Home")
    window.act("Write the code this comment asks for")
    panel = window.page.locator(".bulk-edit-panel")
    panel.get_by_role("button", name="Apply").wait_for()
    assert path.read_text() == COMMENT
    # VS Code ticks nothing that is to be confirmed.
    panel.locator(".monaco-list-row .edit-checkbox, .monaco-list-row .monaco-custom-toggle").first.click()
    panel.get_by_role("button", name="Apply").click()
    panel.wait_for(state="detached")
    window.until_saved(path, COMMENT + FUNCTION)


def test_fix_from_a_diagnostic(window):
    path = window.open("fix.js", BROKEN)
    window.page.locator(".squiggly-error").first.wait_for()
    window.press("Control+Home", "ArrowDown", "End", "ArrowLeft")
    window.act("Fix: Expression expected.")
    window.until_saved(path, FIXED)


def test_progress_and_cancel_of_a_long_action(window):
    text = "# endless: write a function that never ends\n"
    path = window.open("endless.py", text)
    window.press("Control+Home")
    window.act("Write the code this comment asks for")
    window.until_toast("go_on()")
    window.page.locator(".notification-toast").get_by_role("button", name="Cancel").click()
    until(lambda: not any("go_on()" in toast for toast in window.toasts), "the notification is gone")
    window.until_saved(path, text)
