"""Record the README's picture: real VS Code with the real model, typed into by this script, in real time.

Run `poe pictures` on a quiet machine: the pauses in the picture are those of the machine it was recorded on.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from editors.apart import window_of
from editors.home import Home
from editors.tools import ROOT
from editors.window import Window
from fimble.models.install import pull
from fimble.models.store import ModelStore
from fimble.settings import Settings

PICTURE = ROOT / "editor-client" / "pictures" / "vscode.gif"
WIDTH, HEIGHT = 720, 400
N_COLORS = 48
KEY_DELAY_S = 0.07
LOOK_S = 1.6
"""How long a viewer gets to read what has appeared."""
FRAME_MS_MAX = 1_800
"""A pause longer than this tells a viewer nothing more."""
FIRST = "def mean(values):\n"
COMMENT = "# 判断一个字符串是不是回文"
ACTION = "Write the code this comment asks for"
LOOK = {
    "editor.minimap.enabled": False,
    "editor.fontSize": 14,
    "editor.lineNumbers": "off",
    "editor.glyphMargin": True,
    "editor.folding": False,
    "editor.occurrencesHighlight": "off",
    "editor.overviewRulerLanes": 0,
    "breadcrumbs.enabled": False,
    "workbench.activityBar.location": "hidden",
    "workbench.layoutControl.enabled": False,
    "window.commandCenter": False,
    "explorer.openEditors.visible": 0,
}


class Recording:
    """Pictures of a page and when each was taken; one that shows nothing new only prolongs the one before."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._pictures: list[bytes] = []
        self._at_s: list[float] = []

    def look(self, duration_s: float = 0.0) -> None:
        """Take a picture, and more of them as long as the duration lasts."""
        end_s = time.monotonic() + duration_s
        while True:
            picture = self._window.page.screenshot(caret="initial")
            if not self._pictures or picture != self._pictures[-1]:
                self._pictures.append(picture)
                self._at_s.append(time.monotonic())
            if time.monotonic() >= end_s:
                return

    def type(self, text: str) -> None:
        for character in text:
            began_s = time.monotonic()
            self._window.page.keyboard.type(character)
            self.look(max(0.0, KEY_DELAY_S - (time.monotonic() - began_s)))

    def until(self, condition, limit_s: float = 120.0) -> None:
        end_s = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > end_s:
                raise TimeoutError("the model did not get that far; try again on a quiet machine")
            self.look()
        self.look()

    def save(self, path: Path) -> None:
        """Write an animation that never loops away from its last picture too fast to read it."""
        ends_s = [*self._at_s[1:], self._at_s[-1] + 3 * LOOK_S]
        durations_ms = [
            min(FRAME_MS_MAX, max(20, round((end_s - at_s) * 1000)))
            for at_s, end_s in zip(self._at_s, ends_s, strict=True)
        ]
        frames = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in self._pictures]
        # One palette for all: otherwise unchanged places change their color from frame to frame.
        palette = frames[-1].quantize(N_COLORS)
        first, *rest = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
        first.save(path, save_all=True, append_images=rest, duration=durations_ms, loop=0, optimize=True)


def play(window: Window, recording: Recording) -> None:
    """The story: ghost text while typing and Tab; then a comment in Chinese becomes a function."""
    page = window.page
    window.open("example.py", "")
    window.command("View: Close Primary Side Bar")
    recording.look(0.5)
    recording.type(FIRST)
    recording.until(lambda: window.ghost)
    recording.look(LOOK_S)
    page.keyboard.press("Tab")
    recording.look(LOOK_S)
    page.keyboard.press("Escape")
    recording.type("\n")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    page.keyboard.press("Delete")
    recording.type("\n")
    recording.type(COMMENT)
    page.keyboard.press("Escape")
    recording.look(LOOK_S / 2)
    page.keyboard.press("Control+.")
    entries = page.locator(".action-widget .monaco-list-row", has_text=ACTION)
    recording.until(entries.count)
    recording.look(LOOK_S)
    entries.first.click()
    recording.until(lambda: "def " in window.editor_text.split(COMMENT)[-1])
    recording.look(LOOK_S)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=PICTURE)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = Home(folder / "home")
        home.use_models(pull(ModelStore(), Settings().model).path.parent)
        settings = {"fimble.path": str(home.command), "fimble.action_preview": False}
        with window_of(home, folder, settings, LOOK) as window:
            window.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
            window.until_status("ready")
            recording = Recording(window)
            play(window, recording)
            recording.save(args.out)
    sys.stderr.write(f"{args.out}: {args.out.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
