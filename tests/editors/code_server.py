"""code-server, VS Code's own server part, with the packaged extension. What its pages show is in `window`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

from editors.tools import Tools, until

USER_SETTINGS = {
    "security.workspace.trust.enabled": False,
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "telemetry.telemetryLevel": "off",
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "update.mode": "none",
    "chat.disableAIFeatures": True,
    "git.enabled": False,
    "files.autoSave": "off",
    # The suggestion menu would come between typing and ghost text.
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "editor.parameterHints.enabled": False,
    "editor.detectIndentation": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
}
# Keys for what has none, or one that a headless browser does not pass on.
KEYS = [
    {"key": "ctrl+alt+l", "command": "editor.action.inlineSuggest.acceptNextLine"},
    {"key": "ctrl+alt+n", "command": "editor.action.inlineSuggest.showNext"},
    {"key": "ctrl+alt+u", "command": "workbench.action.files.newUntitledFile"},
    {"key": "ctrl+alt+p", "command": "editor.action.inlineSuggest.showPrevious"},
]
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-sync",
]
FIRST_PAGE_LIMIT_S = 120


class CodeServer:
    """One code-server with its own folders.

    `settings` are the machine's, where an extension host looks; `look` are the user's, which the page obeys.
    """

    def __init__(
        self,
        tools: Tools,
        folder: Path,
        environment: dict[str, str],
        vsix: Path,
        settings: dict[str, object],
        look: dict[str, object] | None = None,
    ) -> None:
        self.workspace = folder / "workspace"
        self.storage = folder / "data" / "User" / "globalStorage"
        self.machine_settings_path = folder / "data" / "Machine" / "settings.json"
        for path in (self.workspace, folder / "data" / "User", self.machine_settings_path.parent):
            path.mkdir(parents=True)
        (folder / "config.yaml").write_text("auth: none\ncert: false\n")
        (folder / "data" / "User" / "settings.json").write_text(json.dumps(USER_SETTINGS | (look or {})))
        (folder / "data" / "User" / "keybindings.json").write_text(json.dumps(KEYS))
        self._settings = settings
        self.configure({})
        words = [str(tools.node), str(tools.code_server), "--disable-telemetry", "--disable-update-check"]
        for name, value in (("user-data-dir", "data"), ("extensions-dir", "extensions"), ("config", "config.yaml")):
            words += [f"--{name}", str(folder / value)]
        environment = environment | {"PATH": f"{tools.node.parent}{os.pathsep}{environment['PATH']}"}
        log = (folder / "code-server.log").open("w")
        subprocess.run(
            [*words, "--install-extension", str(vsix)], env=environment, check=True, stdout=log, stderr=log, timeout=180
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        address = ["--bind-addr", f"127.0.0.1:{self.port}", str(self.workspace)]
        # A process group of its own: the extension host and the language server go with it.
        self._process = subprocess.Popen(
            [*words, *address], env=environment, stdout=log, stderr=log, start_new_session=True
        )
        until(self._answers, "code-server answers", limit_s=FIRST_PAGE_LIMIT_S)

    def configure(self, settings: dict[str, object]) -> None:
        """Write the machine's settings: those given over those that the server was made with."""
        text = json.dumps(self._settings | settings, ensure_ascii=False)
        if not self.machine_settings_path.exists() or self.machine_settings_path.read_text() != text:
            self.machine_settings_path.write_text(text)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1) as reply:
                return reply.status == 200
        except OSError:
            return False

    def address_of(self, path: Path | None) -> str:
        query = {"folder": str(self.workspace)}
        if path is not None:
            query["payload"] = json.dumps([["openFile", f"vscode-remote://127.0.0.1:{self.port}{path}"]])
        return f"http://127.0.0.1:{self.port}/?{urllib.parse.urlencode(query)}"

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
