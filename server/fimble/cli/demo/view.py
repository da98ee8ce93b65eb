"""Draw what the typist does: a moving picture in a terminal, lines elsewhere. Decides nothing about typing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.box import ROUNDED, SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from fimble.cli.demo.sample import Sample, Step
from fimble.cli.demo.typist import Screen, Shown, Tally

N_LINES_SHOWN, N_LINES_MIN = 24, 6
WIDTH_COLUMNS_MAX = 96
GHOST_STYLE = "italic bright_black"
CURSOR_STYLE = "reverse"
THEME = "ansi_dark"


class LiveView:
    """The file as it is typed, in one place of the terminal. Use as a context manager."""

    def __init__(self, console: Console, sample: Sample, title: str, tally: Tally) -> None:
        self._sample, self._title, self._tally = sample, title, tally
        self._live = Live(console=console, auto_refresh=False, transient=False)
        # A picture that is taller than the terminal could not be redrawn in place.
        self._n_lines = max(N_LINES_MIN, min(N_LINES_SHOWN, console.height - 4))
        self._width_columns = min(WIDTH_COLUMNS_MAX, console.width)

    def __enter__(self) -> LiveView:
        self._live.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._live.stop()

    def on_screen(self, screen: Screen) -> None:
        picture = frame(screen, self._sample, self._title, self._tally, self._n_lines, self._width_columns)
        self._live.update(picture, refresh=True)

    def on_step(self, step: Step, accepted: Shown | None) -> None:
        """The moving picture has shown it already."""


class PlainView:
    """One line for what was typed, suggested and accepted; for pipes, logs and braille displays."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> PlainView:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def on_screen(self, screen: Screen) -> None:
        """Single keys are not told."""

    def on_step(self, step: Step, accepted: Shown | None) -> None:
        self._say("typed", step.typed.strip("\n"))
        if accepted is None:
            self._say("nothing", "suggested; typed on", style="dim")
            self._say("typed", step.otherwise)
        else:
            self._say("accepted", accepted.text, style="green")
            self._say("", f"shown after {accepted.answer_ms:.0f} ms", style="dim")

    def _say(self, label: str, text: str, style: str = "") -> None:
        first, *rest = text.split("\n")
        for head, line in [(label, first), *(("", line) for line in rest)]:
            self._console.print(Text(f"{head:<9} │ {line}", style), soft_wrap=True)


def frame(
    screen: Screen,
    sample: Sample,
    title: str,
    tally: Tally,
    n_lines: int = N_LINES_SHOWN,
    width_columns: int = WIDTH_COLUMNS_MAX,
) -> RenderableType:
    """Give one picture: the lines around the cursor in their colours, ghost text dimmed, counts below."""
    code = _code(screen, sample, n_lines)
    n_accepted = sum(shown.accepted for shown in tally.shown)
    counts = f"{len(tally.shown)} shown · {n_accepted} accepted"
    return Panel(
        code,
        title=f"[b]fimble[/b] · {sample.file_name} · {title}",
        subtitle=f"{screen.note} · {counts}" if screen.note else counts,
        title_align="left",
        subtitle_align="right",
        box=ROUNDED,
        border_style="bright_black",
        width=width_columns,
        padding=(0, 1),
    )


def _code(screen: Screen, sample: Sample, n_lines: int) -> Text:
    lexer = Syntax("", sample.language, theme=THEME)
    whole = lexer.highlight(screen.before + screen.after)
    whole.rstrip()
    cursor = len(screen.before)
    before, after = whole[:cursor], whole[cursor:]
    covered = after[: screen.n_covered_chars]
    if screen.ghost:
        # The block cursor stands on the first ghost character, as a terminal editor draws it.
        ghost = Text(screen.ghost, GHOST_STYLE)
        ghost.stylize(CURSOR_STYLE, 0, 1)
        rest = after[len(covered) :]
    else:
        ghost, rest = Text(" ", CURSOR_STYLE), after
    text = Text.assemble(before, ghost, rest)
    lines = text.split("\n", allow_blank=True)
    n_first = _first_line(screen.before.count("\n"), len(lines), n_lines)
    shown = lines[n_first : n_first + n_lines]
    for line in shown:
        line.no_wrap, line.overflow = True, "ellipsis"
    body = Text("\n", no_wrap=True, overflow="ellipsis").join(shown)
    body.append("\n" * (n_lines - len(shown)))
    return body


def _first_line(n_cursor_line: int, n_lines: int, n_lines_shown: int) -> int:
    """Keep the cursor in the picture, two thirds down, without scrolling past the end."""
    wanted = n_cursor_line - n_lines_shown * 2 // 3
    return max(0, min(wanted, n_lines - n_lines_shown))


def timings(tally: Tally, title: str, load_ms: float) -> RenderableType:
    """Give the table after the last step."""
    facts = summary(tally, load_ms)
    table = Table(box=SIMPLE_HEAD, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bright_black")
    table.add_column(justify="right")
    table.add_row("model", title)
    table.add_row("model ready after", _ms(facts["load_ms"]))
    table.add_row("requests, one per key", str(facts["n_requests"]))
    table.add_row("superseded by the next key", str(facts["n_superseded"]))
    table.add_row("shown as ghost text", str(facts["n_shown"]))
    table.add_row("accepted", str(facts["n_accepted"]))
    table.add_row("written by the model", f"{facts['accepted_share']:.0%} of the characters")
    table.add_row("key to ghost text, p50", _ms(facts["p50_ms"]))
    table.add_row("key to ghost text, p95", _ms(facts["p95_ms"]))
    return Group(table)


def summary(tally: Tally, load_ms: float) -> dict[str, Any]:
    """Give the figures of a run, as `--json` prints them."""
    times_ms = sorted(shown.answer_ms for shown in tally.shown)
    n_chars = tally.n_typed_chars + tally.n_accepted_chars
    return {
        "load_ms": round(load_ms, 1),
        "n_requests": tally.n_requests,
        "n_superseded": tally.n_superseded,
        "n_shown": len(tally.shown),
        "n_accepted": sum(shown.accepted for shown in tally.shown),
        "n_typed_chars": tally.n_typed_chars,
        "n_accepted_chars": tally.n_accepted_chars,
        "accepted_share": round(tally.n_accepted_chars / n_chars, 3) if n_chars else 0.0,
        "p50_ms": percentile_ms(times_ms, 0.5),
        "p95_ms": percentile_ms(times_ms, 0.95),
    }


def percentile_ms(sorted_ms: Sequence[float], share: float) -> float | None:
    """Give the nearest-rank percentile, or None without samples."""
    if not sorted_ms:
        return None
    return round(sorted_ms[min(len(sorted_ms) - 1, int(share * len(sorted_ms)))], 1)


def _ms(duration_ms: float | None) -> str:
    return "–" if duration_ms is None else f"{duration_ms:.0f} ms"
