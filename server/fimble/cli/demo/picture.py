"""Turn what was drawn into one moving SVG, for the README. Draws the view's own frames and adds nothing to them."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.color import ColorType
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme

from fimble.cli.demo.sample import Sample
from fimble.cli.demo.typist import Screen, Tally
from fimble.cli.demo.view import N_LINES_SHOWN, WIDTH_COLUMNS_MAX, frame
from fimble.cli.whole_file import write_whole

N_ROWS = N_LINES_SHOWN + 2
COLUMN_PX, ROW_PX, MARGIN_PX = 9.6, 20.0, 12.0
LAST_FRAME_S = 6.0
ANSI_RGB = ["16181d", "e06c75", "98c379", "d1aa66", "61afef", "c678dd", "56b6c2", "d6dae2"]
BRIGHT_RGB = ["7a8496", "e06c75", "98c379", "e5c07b", "61afef", "c678dd", "56b6c2", "ffffff"]


def _rgb(text: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(text)
    return red, green, blue


THEME = TerminalTheme(_rgb(ANSI_RGB[0]), _rgb(ANSI_RGB[7]), [_rgb(c) for c in ANSI_RGB], [_rgb(c) for c in BRIGHT_RGB])

N_KEYS_A_FRAME = 2
"""Between events every second key is kept: half the size, and as smooth."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of one style at a place on the screen."""

    n_row: int
    n_column: int
    text: str
    style: Style


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece and the time for which it stands, from the recording's start."""

    piece: Piece
    from_s: float
    until_s: float


class Recorder:
    """Keeps what was drawn with the moment it was drawn at."""

    def __init__(self, sample: Sample, title: str, tally: Tally) -> None:
        self._sample, self._title, self._tally = sample, title, tally
        self._frames: list[tuple[float, list[Piece]]] = []
        self._n_keys = 0
        self._was = ("", "", "")

    def on_screen(self, screen: Screen) -> None:
        now = (screen.ghost, screen.note, screen.before)
        if now == self._was:
            return
        is_event = now[:2] != self._was[:2]
        self._was = now
        self._n_keys += 1
        if self._n_keys % N_KEYS_A_FRAME and not is_event:
            return
        self._keep(frame(screen, self._sample, self._title, self._tally))

    def save(self, path: Path, ending: RenderableType) -> None:
        """Write the picture, ending with the given table."""
        self._keep(ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, moving_svg(self._frames))

    def _keep(self, renderable: RenderableType) -> None:
        self._frames.append((time.monotonic(), list(_pieces(renderable))))


def moving_svg(frames: list[tuple[float, list[Piece]]]) -> str:
    """Give one SVG that shows each frame from its moment to the next one's, again and again.

    Where nothing moves (a printer, a still preview), the last frame but one stands: the finished file.
    """
    started_at_s = frames[0][0]
    total_s = frames[-1][0] - started_at_s + LAST_FRAME_S
    still_s = frames[-1][0] - started_at_s
    styles, bodies = [], []
    for n, stretch in enumerate(_stretches(frames, total_s)):
        if stretch.from_s == 0 and stretch.until_s == total_s:
            bodies.append(_drawn(stretch.piece, ""))
            continue
        stands = stretch.from_s < still_s <= stretch.until_s
        bodies.append(_drawn(stretch.piece, f' id="g{n}" class="{"s" if stands else "h"}"'))
        styles.append(_animation(n, stretch.from_s / total_s, stretch.until_s / total_s, stands))
    width_px = WIDTH_COLUMNS_MAX * COLUMN_PX + 2 * MARGIN_PX
    height_px = N_ROWS * ROW_PX + 2 * MARGIN_PX
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width_px:.0f} {height_px:.0f}" role="img">\n'
        "<title>fimble demo: code typed in a terminal, ghost text, and what is accepted</title>\n"
        "<style>text{font:16px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}\n"
        f".h,.s{{animation:{total_s:.1f}s step-end infinite}}.h{{visibility:hidden}}\n"
        + "\n".join(styles)
        + f'</style>\n<rect width="100%" height="100%" rx="8" fill="#{ANSI_RGB[0]}"/>\n'
        + f'<g transform="translate({MARGIN_PX:.0f} {MARGIN_PX:.0f})">\n'
        + "\n".join(bodies)
        + "\n</g></svg>\n"
    )


def _stretches(frames: list[tuple[float, list[Piece]]], total_s: float) -> Iterator[Stretch]:
    """Give each piece with its time; what did not change from frame to frame is one stretch."""
    started_at_s = frames[0][0]
    standing: dict[Piece, float] = {}
    for at_s, pieces in frames:
        now = set(pieces)
        for piece in [piece for piece in standing if piece not in now]:
            yield Stretch(piece, standing.pop(piece), at_s - started_at_s)
        for piece in pieces:
            standing.setdefault(piece, at_s - started_at_s)
    yield from (Stretch(piece, from_s, total_s) for piece, from_s in standing.items())


def _animation(n: int, start_share: float, end_share: float, stands: bool) -> str:
    """Give the rule that shows piece `n` between two shares of the whole time.

    A piece is hidden where no step says otherwise, except one that stands in the still picture.
    """
    steps = f"{start_share:.2%}{{visibility:visible}}"
    if end_share < 1:
        steps += f"{end_share:.2%}{{visibility:hidden}}"
    if stands:
        steps = "0%{visibility:hidden}" * (start_share > 0) + steps
        steps += f"100%{{visibility:{'hidden' if end_share < 1 else 'visible'}}}"
    return f"@keyframes k{n}{{{steps}}}#g{n}{{animation-name:k{n}}}"


def _pieces(renderable: RenderableType) -> Iterator[Piece]:
    """Give what stands on the screen; spaces without a ground are left out."""
    console = Console(width=WIDTH_COLUMNS_MAX, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for n_row, line in enumerate(console.render_lines(renderable, console.options, pad=False)):
        n_column = 0
        for segment in Segment.simplify(segment for segment in line if not segment.control):
            style = segment.style or Style.null()
            text = segment.text
            if not style.reverse:
                lead = len(text) - len(text.lstrip(" "))
                yield from [Piece(n_row, n_column + lead, text.strip(" "), style)] if text.strip(" ") else []
            else:
                yield Piece(n_row, n_column, text, style)
            n_column += segment.cell_length


def _drawn(piece: Piece, attributes: str) -> str:
    """Give the element of one piece: a group where it has a ground."""
    x_px, y_px = piece.n_column * COLUMN_PX, piece.n_row * ROW_PX
    width_px = cell_len(piece.text) * COLUMN_PX
    ink, ground = _colors(piece.style)
    extra = ' font-weight="bold"' if piece.style.bold else ""
    extra += ' font-style="italic"' if piece.style.italic else ""
    place = f'x="{x_px:.1f}" y="{y_px + ROW_PX * 0.75:.0f}"'
    # `textLength` keeps the columns where the reader's font is wider or narrower than ours.
    text = f'{place} textLength="{width_px:.1f}" fill="{ink}"{extra}>{escape(piece.text)}</text>'
    if ground is None:
        return f"<text{attributes} {text}"
    box = f'<rect x="{x_px:.1f}" y="{y_px:.0f}" width="{width_px:.1f}" height="{ROW_PX:.0f}" fill="{ground}"/>'
    return f"<g{attributes}>{box}" + (f"<text {text}" if piece.text.strip() else "") + "</g>"


def _colors(style: Style) -> tuple[str, str | None]:
    """Give ink and ground as hex; a ground of None is the picture's own."""
    ink, ground = (
        None if color is None or color.type is ColorType.DEFAULT else color.get_truecolor(THEME, n == 0).hex
        for n, color in enumerate((style.color, style.bgcolor))
    )
    if style.reverse:
        return ground or f"#{ANSI_RGB[0]}", ink or f"#{ANSI_RGB[7]}"
    return ink or f"#{ANSI_RGB[7]}", ground
