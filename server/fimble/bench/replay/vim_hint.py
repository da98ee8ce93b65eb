"""llama.vim's context of a place, and what it draws of an answer there. Pure.

Source: ggml-org/llama.vim at a1c8e6e: autoload/llama.vim (`fim_ctx_local`, `fim_render`), its default settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PREFIX_LINES_MAX = 256
SUFFIX_LINES_MAX = 64


@dataclass(frozen=True, slots=True)
class Buffer:
    """The file as lines, with the cursor in line `n_line` (from 0) behind `n_column` characters."""

    lines: tuple[str, ...]
    n_line: int
    n_column: int

    @classmethod
    def at(cls, before: str, after: str) -> Buffer:
        head = before.split("\n")
        # What ends the file's last line begins no further one.
        tail = after.removesuffix("\n").split("\n")
        return cls((*head[:-1], head[-1] + tail[0], *tail[1:]), len(head) - 1, len(head[-1]))

    @property
    def line(self) -> str:
        return self.lines[self.n_line]


@dataclass(frozen=True, slots=True)
class Local:
    """What a request says of the place: whole lines before, the cursor's line up to the cursor, the rest."""

    prefix: str
    middle: str
    suffix: str
    n_indent: int
    line_suffix: str


@dataclass(frozen=True, slots=True)
class Hint:
    """What is drawn. `content` is what the file would have, line by line, the rest of the cursor's line included.

    `text` is what would stand behind the cursor; `n_replaced_chars` before it would go (an indentation that the
    answer has less of).
    """

    content: tuple[str, ...]
    text: str
    n_replaced_chars: int
    can_accept: bool


def local_context(buffer: Buffer, previous: Sequence[str], n_indent_before: int) -> Local:
    """Give the context at the cursor, or, with the lines of a hint, as if that was accepted."""
    below = buffer.lines[buffer.n_line + 1 : buffer.n_line + 1 + SUFFIX_LINES_MAX]
    if not previous:
        line = buffer.line
        middle, rest = line[: buffer.n_column], line[buffer.n_column :]
        if not line.strip():
            middle = rest = ""  # lines of blanks are begun anew
        n_indent = len(line) - len(line.lstrip()) if line.strip() else 0
        above = list(buffer.lines[max(0, buffer.n_line - PREFIX_LINES_MAX) : buffer.n_line])
    else:
        middle = buffer.line + previous[0] if len(previous) == 1 else previous[-1]
        rest, n_indent = "", n_indent_before
        first = max(0, buffer.n_line - PREFIX_LINES_MAX + len(previous) - 1)
        above = list(buffer.lines[first : buffer.n_line])
        if len(previous) > 1:
            above += [buffer.line + previous[0], *previous[1:-1]]
    return Local("\n".join(above) + "\n", middle, "\n".join((rest, *below)) + "\n", n_indent, rest)


def hint_of(answer: str, buffer: Buffer) -> Hint:
    """Give what is drawn of an answer at the cursor; repetitions of what is there already are drawn as nothing."""
    content = answer.split("\n")
    while content and not content[-1]:
        content.pop()
    can_accept = bool(content)
    content = content or [""]
    line, n_replaced_chars = buffer.line, 0
    if not line.strip():
        n_lead = min(len(content[0]) - len(content[0].lstrip()), len(line))
        n_replaced_chars = len(line) - n_lead
        line, content[0] = content[0][:n_lead], content[0][n_lead:]
    before, rest = line[: buffer.n_column], line[buffer.n_column :]
    if _repeats(content, before, rest, buffer):
        content = [""]
    text = "\n".join(content)
    content[-1] += rest
    can_accept = can_accept and bool("".join(content).strip())
    return Hint(tuple(content), text, n_replaced_chars if text else 0, can_accept)


def _repeats(content: list[str], before: str, rest: str, buffer: Buffer) -> bool:
    """Say whether the answer only says what stands there: the rest of the line, or the lines below."""
    lines, n_here = buffer.lines, buffer.n_line
    n_content = len(content)
    if n_content > 1 and not content[0] and tuple(content[1:]) == lines[n_here + 1 : n_here + n_content]:
        return True
    if n_content == 1 and content[0] == rest:
        return True
    n_next = n_here + 1
    while n_next < len(lines) - 1 and not lines[n_next].strip():
        n_next += 1
    if n_next >= len(lines) or before + content[0] != lines[n_next]:
        return False
    behind = lines[n_next + 1 : n_next + n_content]
    if n_content == 1:
        return True
    if n_content == 2:
        return bool(behind) and behind[0].startswith(content[-1])
    return tuple(content[1:]) == behind
