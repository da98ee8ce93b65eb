"""Turn what was drawn into one moving SVG, for the README. Draws the view's own frames and adds nothing to them."""

from __future__ import annotations

import io
import time
from pathlib import Path

from rich.console import Console, RenderableType
from rich.terminal_theme import TerminalTheme

from fimble.cli.demo.sample import Sample
from fimble.cli.demo.typist import Screen, Tally
from fimble.cli.demo.view import N_LINES_SHOWN, WIDTH_COLUMNS_MAX, frame

N_KEYS_A_FRAME = 5
"""Single keys would make the file large: between events every fifth key is kept."""
LAST_FRAME_S = 6.0
GROUND = "#16181d"
THEME = TerminalTheme(
    (22, 24, 29),
    (214, 218, 226),
    [
        (22, 24, 29),
        (224, 108, 117),
        (152, 195, 121),
        (209, 170, 102),
        (97, 175, 239),
        (198, 120, 221),
        (86, 182, 194),
        (214, 218, 226),
    ],
    [
        (110, 118, 135),
        (224, 108, 117),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (86, 182, 194),
        (255, 255, 255),
    ],
)
# rich fills in the braces; without its window and its fonts from the network.
FRAME_FORMAT = """<style>{styles}</style><g clip-path="none" class="{unique_id}-matrix">{backgrounds}{matrix}</g>"""


class Recorder:
    """Keeps frames with the moment they were drawn at."""

    def __init__(self, sample: Sample, title: str, tally: Tally) -> None:
        self._sample, self._title, self._tally = sample, title, tally
        self._frames: list[tuple[float, str]] = []
        self._n_keys = 0
        self._was = ("", "")

    def on_screen(self, screen: Screen) -> None:
        """Keep the frame if something appeared, vanished or was accepted, or some keys were typed."""
        now = (screen.ghost, screen.note if screen.note.startswith("accepted") else "")
        self._n_keys += 1
        if now == self._was and self._n_keys % N_KEYS_A_FRAME:
            return
        self._was = now
        self._keep(frame(screen, self._sample, self._title, self._tally))

    def save(self, path: Path, ending: RenderableType) -> None:
        """Write the picture, ending with the given table."""
        self._keep(ending)
        staged = path.with_name(path.name + ".new")
        path.parent.mkdir(parents=True, exist_ok=True)
        staged.write_text(moving_svg(self._frames), encoding="utf-8")
        staged.replace(path)

    def _keep(self, renderable: RenderableType) -> None:
        self._frames.append((time.monotonic(), _drawn(renderable, f"f{len(self._frames)}")))


def moving_svg(frames: list[tuple[float, str]]) -> str:
    """Give one SVG that shows each frame from its moment to the next one's, again and again.

    Where nothing moves (a printer, a still preview), the last frame but one stands: the finished file.
    """
    started_at_s = frames[0][0]
    total_s = frames[-1][0] - started_at_s + LAST_FRAME_S
    styles, bodies = [], []
    for n, (at_s, body) in enumerate(frames):
        until_s = frames[n + 1][0] if n + 1 < len(frames) else started_at_s + total_s
        start, end = (at_s - started_at_s) / total_s, (until_s - started_at_s) / total_s
        styles.append(
            f"@keyframes k{n}{{0%{{visibility:{'visible' if n == 0 else 'hidden'}}}"
            f"{start:.3%}{{visibility:visible}}{end:.3%}{{visibility:hidden}}}}"
            f"#f{n}{{animation:k{n} {total_s:.2f}s step-end infinite;"
            f"visibility:{'visible' if n == len(frames) - 2 else 'hidden'}}}"
        )
        bodies.append(f'<g id="f{n}">{body}</g>')
    width_px, height_px = WIDTH_COLUMNS_MAX * 12.2 + 24, (N_LINES_SHOWN + 2) * 24.4 + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width_px:.0f} {height_px:.0f}" role="img">'
        "<title>fimble demo</title>"
        f"<style>text{{font:20px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}}"
        f"{''.join(styles)}</style>"
        f'<rect width="100%" height="100%" rx="10" fill="{GROUND}"/>'
        f'<g transform="translate(12 12)">{"".join(bodies)}</g></svg>\n'
    )


def _drawn(renderable: RenderableType, name: str) -> str:
    console = Console(
        record=True, width=WIDTH_COLUMNS_MAX, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(renderable)
    return console.export_svg(theme=THEME, code_format=FRAME_FORMAT, unique_id=name)
