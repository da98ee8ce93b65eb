"""One page of VS Code in a headless browser, as a person sees it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Error, Page

from editors.code_server import FIRST_PAGE_LIMIT_S, CodeServer
from editors.home import Home
from editors.tools import ATTEMPT_LIMIT_S, LIMIT_S, comes_about, until

GHOST = """() => {
  const text = (nodes) => nodes.map((node) => node.textContent).join("");
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const below = all(".view-line").filter((line) => line.querySelector(".ghost-text") !== null);
  return [text(all(".ghost-text-decoration")), below.map((line) => text(all(".ghost-text", line)))];
}"""


class Window:
    """A window of VS Code as a person sees it."""

    def __init__(self, browser: Browser, server: CodeServer, home: Home, path: Path | None = None) -> None:
        self.server = server
        self.home = home
        self.page: Page = browser.new_page(viewport={"width": 1000, "height": 640})
        self.page.set_default_timeout(LIMIT_S * 1000)
        self.page.goto(server.address_of(path))
        self.page.wait_for_selector(".monaco-workbench .statusbar-item", timeout=FIRST_PAGE_LIMIT_S * 1000)

    def close(self) -> None:
        self.page.close()

    def reload(self) -> None:
        """Load the window anew: its extension host starts again."""
        self.page.reload()
        self.page.wait_for_selector(".monaco-workbench .statusbar-item", timeout=FIRST_PAGE_LIMIT_S * 1000)

    def activation(self) -> str:
        """What VS Code says of the extension's activation."""
        self.command("Developer: Show Running Extensions")
        page = self.page.locator(".runtime-extensions-editor")
        page.locator(".monaco-list-row").first.wait_for()
        row = page.locator(".monaco-list-row", has_text="fimble")

        def found() -> bool:
            # Only rows in sight are in the page.
            page.hover()
            self.page.mouse.wheel(0, 70)
            return row.count() > 0

        until(found, "the extension among those that run", page.inner_text)
        text = " ".join(row.first.inner_text().split())
        self.press("Escape")
        page.wait_for(state="detached")
        return text

    @property
    def status(self) -> str:
        """What fimble's status item says to a screen reader."""
        item = self.page.locator("#fimble\\.fimble\\.fimble\\.status a")
        return item.first.get_attribute("aria-label") or "" if item.count() else ""

    def until_status(self, wanted: str, limit_s: float = FIRST_PAGE_LIMIT_S) -> None:
        until(lambda: wanted in self.status, f"status `{wanted}`", lambda: (self.status, self.toasts), limit_s)

    def open(self, name: str, text: str) -> Path:
        """Write a file into the workspace and open it, with the cursor at its end."""
        self._log_before = self.home.log()
        path = self.server.workspace / name
        path.write_bytes(text.encode("utf-8"))
        self.press("Control+p")
        # By its whole path: the index of the workspace may not have seen the file yet.
        self._choose(str(path), name)
        self.page.wait_for_selector(f'.tab.active[data-resource-name="{name}"]')
        self.page.wait_for_selector(".editor-instance .view-lines")
        self.page.locator(".editor-instance .view-lines").first.click()
        self.press("Control+End")
        return path

    def new_file(self) -> None:
        """Open a document without a file, with the cursor in it."""
        self.press("Control+Alt+u")
        self.page.wait_for_selector('.tab.active[data-resource-name^="Untitled"]')
        self.page.wait_for_selector(".editor-instance .view-lines")
        # The tab is there before the keys are the editor's; and what is asked before that is dropped with the focus.
        self.page.locator(".editor-instance .view-lines").first.click()
        self.page.wait_for_selector(".editor-instance .monaco-editor.focused")

    def settle(self) -> None:
        """Close what an earlier test may have left open, without saving."""
        self.press("Escape", "Escape")
        self.command("Notifications: Clear All Notifications")
        while self.page.locator(".tab").count():
            self.command("View: Revert and Close Editor")

    def command(self, title: str, opens: str = "") -> None:
        """Run a command by the palette; it `opens` a menu with an entry of that text, or none."""
        self.press("F1")
        self._choose(title, opens=opens)

    def _choose(self, text: str, shown: str = "", opens: str = "") -> None:
        self.page.locator(".quick-input-widget:visible input").first.wait_for()
        self.page.keyboard.insert_text(text)
        self.row(shown or text).first.wait_for()
        self.press("Enter")
        if opens:
            self.row(opens).first.wait_for()
        else:
            self.page.locator(".quick-input-widget:visible").wait_for(state="detached")

    def choose(self, text: str) -> None:
        """Take an entry of the menu that is open."""
        self.row(text).first.click()

    def row(self, text: str):
        return self.page.locator(".quick-input-list .monaco-list-row", has_text=text)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text, delay=15)

    @property
    def ghost(self) -> str:
        """All ghost text on the screen: what the cursor's line gets, then the lines below, joined by line ends."""
        first, below = self.page.evaluate(GHOST)
        return "\n".join([first, *below]).replace("\u00a0", " ").rstrip()

    def until_ghost(self, *lines: str) -> None:
        wanted = "\n".join(lines)
        until(lambda: self.ghost == wanted, f"ghost text {wanted!r}", lambda: self.ghost)

    def retype_until_ghost(self, key: str, shown: str, attempt_limit_s: float = ATTEMPT_LIMIT_S) -> None:
        """Type the character before the cursor anew, as a user does who was not answered, until `shown` is shown.

        What is asked while a model loads is declined, and not answered later. Each attempt is waited for: a key
        cancels the request of the one before.
        """

        self._retype(key, lambda: shown in self.ghost, f"ghost text {shown!r}", attempt_limit_s)

    def retype_until_logged(self, key: str, text: str) -> None:
        """Type the character before the cursor anew until the server, which may have the setting later, logs `text`."""
        before = self._log_before.count(text)
        self._retype(key, lambda: self.home.log().count(text) > before, f"`{text}` in the log", ATTEMPT_LIMIT_S)

    def _retype(self, key: str, condition: Callable[[], bool], what: str, attempt_limit_s: float) -> None:
        def answered() -> bool:
            self.press("Backspace")
            self.type(key)
            return comes_about(condition, attempt_limit_s)

        until(answered, what, lambda: (self.ghost, self.status, self.home.log()[-1000:]))

    def until_no_ghost(self) -> None:
        until(lambda: not self.ghost, "no ghost text", lambda: self.ghost)

    def until_saved(self, path: Path, text: str) -> None:
        """Save until the file holds `text`: that the editor has it is only seen on disk."""

        def saved() -> bool:
            self.press("Control+s")
            return path.read_bytes().decode("utf-8") == text

        until(saved, f"{path.name} holds {text!r}", lambda: path.read_bytes().decode("utf-8"))

    @property
    def toasts(self) -> list[str]:
        return self.page.locator(".notification-toast .notification-list-item-message").all_text_contents()

    def until_toast(self, text: str) -> None:
        until(lambda: any(text in toast for toast in self.toasts), f"notification {text!r}", lambda: self.toasts)

    @property
    def toast_buttons(self) -> list[str]:
        return self.page.locator(".notification-toast .notification-list-item-buttons-container a").all_text_contents()

    @property
    def editor_text(self) -> str:
        lines = self.page.locator(".editor-instance .view-lines .view-line").all_text_contents()
        return "\n".join(lines).replace("\u00a0", " ")

    def menu(self, entry: str) -> None:
        """Open fimble's menu by its status item and take an entry."""
        self.open_menu()
        self.row(entry).first.click()
        self.page.locator(".quick-input-widget:visible").wait_for(state="detached")
        self.page.locator(".editor-instance .view-lines").first.click()
        self.press("Control+End")

    def open_menu(self) -> None:
        self.page.locator("#fimble\\.fimble\\.fimble\\.status a").first.click()
        self.row("Settings").first.wait_for()

    def menu_entries_are(self, *entries: str) -> None:
        self.open_menu()
        shown = self.page.locator(".quick-input-list .monaco-list-row .label-name").all_text_contents()
        self.press("Escape")
        assert [text.strip() for text in shown if text.strip()] == list(entries)

    def until_explained(self, text: str) -> None:
        """Ask for the explanation of the last request; closes the page it is shown on."""
        self.command("fimble: Explain the Last Request")
        until(lambda: any(text in page for page in self.web_pages), f"explanation {text!r}", lambda: self.web_pages)
        # With the mouse: keys go into the page, which has the focus.
        self.page.locator(".tab", has_text="Last request").click(button="middle")

    @property
    def web_pages(self) -> list[str]:
        """What the rendered pages show: each is the innermost of three frames, which come and go."""
        texts = []
        # The list of frames is brought up to date by a round trip, not by looking at it.
        self.page.evaluate("0")
        for frame in self.page.frames:
            if frame.name in ("active-frame", "pending-frame"):
                with contextlib.suppress(Error):
                    texts.append(frame.locator("body").inner_text(timeout=1_000))
        return texts

    def act(self, title: str) -> None:
        """Take the entry from the menu that the lightbulb's key opens."""
        self._act(title, lambda: self.press("Control+."))

    def act_by_lightbulb(self, title: str) -> None:
        """Take the entry from the menu that opens when the lightbulb is clicked."""
        bulb = self.page.locator("[class*='codicon-gutter-lightbulb']:visible, .lightBulbWidget:visible").first
        bulb.wait_for()
        self._act(title, lambda: bulb.click(timeout=ATTEMPT_LIMIT_S * 1000))

    def _act(self, title: str, open_menu: Callable[[], None]) -> None:
        entries = self.page.locator(".action-widget .monaco-list-row", has_text=title)

        def opened() -> bool:
            with contextlib.suppress(Error):
                open_menu()
            with contextlib.suppress(Error):
                entries.first.wait_for(timeout=ATTEMPT_LIMIT_S * 1000)
                return True
            self.press("Escape")
            return False

        until(opened, f"code action {title!r}")
        entries.first.click()
