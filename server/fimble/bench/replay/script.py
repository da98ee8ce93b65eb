"""What is typed: one function of a file, from its top, with the rest of the file around it. Reads data files only."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

from fimble.errors import UsageError

_HEADERS = {
    "python": r"(?:async\s+)?def\s+\w+",
    "typescript": r"(?:export\s+)?(?:default\s+)?(?:async\s+)?function\b",
    "javascript": r"(?:export\s+)?(?:default\s+)?(?:async\s+)?function\b",
    "go": r"func\s",
    "rust": r"(?:pub(?:\([^)]*\))?\s+)?(?:async\s+)?(?:unsafe\s+)?fn\s+\w+",
}
FUNCTION_LINES_MIN = 4
MID_LINE_CHARS_MIN = 3
"""A place in a line is a stop only behind and before so many characters that are not blank."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the data set."""

    path: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Script:
    """One function to be typed.

    `before` and `after` are the file around it; `text` is the whole function, `typed_chars` how much of it is typed
    (whole lines). The rest of the function is in nobody's file: the typist knows it, no side does. Offsets are those in
    `text`; a line stop is behind a line end and the indentation that the editor puts there.
    """

    path: str
    language: str
    before: str
    text: str
    after: str
    typed_chars: int
    line_stop_offsets: frozenset[int]
    mid_stop_offsets: tuple[int, ...]


def load(data: Path) -> list[SourceFile]:
    """Read a file of JSON lines with `path`, `language` and `text`. Errors: UsageError."""
    try:
        lines = data.read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines if line.strip()]
        files = [SourceFile(row["path"], row["language"], row["text"].replace("\r\n", "\n")) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"cannot read `{data}`: {error}", "it has one JSON object a line: path, language, text"
        ) from error
    if not files:
        raise UsageError(f"`{data}` holds no files")
    return files


def draw_files(files: list[SourceFile], n_files: int | None, seed: int) -> list[SourceFile]:
    """Give `n_files` of the files in their order, or all; drawn by the seed, each language in turn."""
    if n_files is None or n_files >= len(files):
        return files
    rng = random.Random(f"{seed}:files")
    by_language: dict[str, list[SourceFile]] = {}
    for file in rng.sample(files, len(files)):
        by_language.setdefault(file.language, []).append(file)
    chosen: list[SourceFile] = []
    while len(chosen) < n_files:
        for group in by_language.values():
            if group and len(chosen) < n_files:
                chosen.append(group.pop())
    return [file for file in files if file in chosen]


def make_script(file: SourceFile, chars_max: int, n_stops: int, seed: int) -> Script:
    """Choose one function of the file by the seed and where in it the typist stops and waits.

    A third of `n_stops` are line starts, a third places within a line; acceptances make up the rest as they come.
    Errors: UsageError for a file without a function long enough.
    """
    rng = random.Random(f"{seed}:{file.path}")
    found = functions(file)
    if not found:
        raise UsageError(f"`{file.path}` has no function of {FUNCTION_LINES_MIN} lines or more")
    # One that fills the time is preferred: a short one would leave a file with hardly any stop.
    long_enough = [(start, end) for start, end in found if end - start >= chars_max]
    start, end = rng.choice(long_enough) if long_enough else max(found, key=lambda span: span[1] - span[0])
    text = file.text[start:end]
    typed_chars = _whole_lines(text, chars_max)
    n_of_a_kind = max(1, n_stops // 3) if n_stops else 0
    starts, places = _line_starts(text[:typed_chars]), _places_within(text[:typed_chars])
    return Script(
        path=file.path,
        language=file.language,
        before=file.text[:start],
        text=text,
        after=file.text[end:],
        typed_chars=typed_chars,
        line_stop_offsets=frozenset(rng.sample(starts, min(n_of_a_kind, len(starts)))),
        mid_stop_offsets=tuple(sorted(rng.choice(line) for line in rng.sample(places, min(n_of_a_kind, len(places))))),
    )


def functions(file: SourceFile) -> list[tuple[int, int]]:
    """Give where functions start, behind the indentation, and end, before the line end; found by indentation."""
    pattern = re.compile(_HEADERS.get(file.language, r"(?!)"))
    lines = file.text.split("\n")
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line) + 1)
    spans: list[tuple[int, int]] = []
    for number, line in enumerate(lines):
        if not pattern.match(line.lstrip()):
            continue
        last = _last_line(lines, number)
        if last - number + 1 >= FUNCTION_LINES_MIN:
            spans.append((offsets[number] + _indent(line), offsets[last] + len(lines[last])))
    return spans


def key_at(text: str, offset: int) -> str:
    """Give the next key's text: one character, or a line end with the indentation that editors put behind it."""
    if text[offset] != "\n":
        return text[offset]
    end_offset = offset + 1
    while end_offset < len(text) and text[end_offset] in " \t":
        end_offset += 1
    # The indentation of an empty line is nobody's: editors take it away again.
    return "\n" if end_offset < len(text) and text[end_offset] == "\n" else text[offset:end_offset]


def n_keys(text: str) -> int:
    """Count the keys that typing all of `text` takes."""
    count, offset = 0, 0
    while offset < len(text):
        offset += len(key_at(text, offset))
        count += 1
    return count


def _last_line(lines: list[str], first: int) -> int:
    """Give the last line of the function that begins in line `first`: a closing line counts, what follows does not."""
    indent = _indent(lines[first])
    last = first
    for number in range(first + 1, len(lines)):
        line = lines[number]
        if not line.strip():
            continue
        if _indent(line) > indent:
            last = number
        elif _indent(line) == indent and line.lstrip()[0] in ")}]":
            last = number
            if line.lstrip()[0] == "}" and not line.rstrip().endswith("{"):
                break
        else:
            break
    return last


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _whole_lines(text: str, chars_max: int) -> int:
    if len(text) <= chars_max:
        return len(text)
    end_offset = text.find("\n", chars_max)
    return len(text) if end_offset < 0 else end_offset


def _line_starts(text: str) -> list[int]:
    """Give the places behind a line end and its indentation, before a line that has something in it."""
    starts = [match.end() for match in re.finditer(r"\n[ \t]*", text)]
    return [start for start in starts if start < len(text) and text[start] != "\n"]


def _places_within(text: str) -> list[list[int]]:
    """Give, for each line that has any, the places far enough from both its ends."""
    lines: list[list[int]] = []
    for match in re.finditer(r"[^\n]+", text):
        first = match.start() + _indent(match.group()) + MID_LINE_CHARS_MIN
        places = list(range(first, match.start() + len(match.group().rstrip()) - MID_LINE_CHARS_MIN + 1))
        if places:
            lines.append(places)
    return lines
