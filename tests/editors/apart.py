"""A window of VS Code for scripts that are no tests: they measure it or record it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from editors.code_server import CHROMIUM_FLAGS, CodeServer
from editors.extension import build_vsix
from editors.home import Home
from editors.tools import find_tools
from editors.window import Window


@contextlib.contextmanager
def window_of(home: Home, folder: Path, *settings: dict[str, Any]) -> Iterator[Window]:
    """Give a window with the extension, whose server is the home's; all of it is closed behind.

    `settings` are those of the user and, if there are more, what VS Code is to look like.
    """
    tools = find_tools()
    server = CodeServer(tools, folder, home.environment_without_command, build_vsix(tools), *settings)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(tools.chromium), args=CHROMIUM_FLAGS)
            yield Window(browser, server, home)
            browser.close()
    finally:
        server.close()
        home.close()
