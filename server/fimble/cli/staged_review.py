"""`fimble action review --staged`: the review action on what is staged in git. Reads git; reviews nothing itself."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fimble.errors import FimbleError

if TYPE_CHECKING:
    from fimble.actions.place import Place
    from fimble.settings import Settings
    from fimble.text.document import DocumentSnapshot

_HUNK = re.compile(rb"^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
GIT_WAIT_S = 60


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file as it is staged, and the lines that are new in it, from 0, the end not among them."""

    path: str
    text: str
    new_lines: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark; `line` counts from 1 in the staged file."""

    path: str
    line: int
    message: str


def run(settings: Settings, only: str, *, instruction: str, as_json: bool) -> int:
    """Review what is staged, and print the remarks. Errors: FimbleError where git has nothing for us."""
    root = Path(os.fsdecode(_git(Path.cwd(), "rev-parse", "--show-toplevel").rstrip(b"\n")))
    files = staged_files(root, only)
    if not files:
        raise FimbleError("nothing that can be reviewed is staged", "stage it: `git add FILE`")
    places = [(file, place) for file in files for place in stretches(root, file)]
    remarks, refused = asyncio.run(_review(settings, places, instruction))
    if as_json:
        found = [{"path": r.path, "line": r.line, "message": r.message} for r in remarks]
        sys.stdout.write(json.dumps({"remarks": found, "refused": refused}, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("".join(f"{r.path}:{r.line}: {r.message}\n" for r in remarks))
    if len(refused) == len(places):
        raise FimbleError(f"nothing was reviewed: {refused[0]['message']}")
    return 0


def staged_files(root: Path, only: str = "") -> list[StagedFile]:
    """Give the staged files that are text and have new lines; `only` restricts them to one path."""
    chosen = ["--", str(Path(only).resolve())] if only else []
    names = _git(root, "diff", "--cached", "--name-only", "-z", "--diff-filter=ACMR", *chosen).split(b"\0")
    files: list[StagedFile] = []
    for name in filter(None, names):
        path = os.fsdecode(name)
        diff = _git(root, "diff", "--cached", "--unified=0", "--no-color", "--no-ext-diff", "--", path)
        lines = tuple(_new_lines(diff))
        try:
            text = _git(root, "show", f":{path}").decode("utf-8-sig")
        except UnicodeDecodeError:
            sys.stderr.write(f"note: {path} is not UTF-8 and was left out\n")
            continue
        if lines and text.strip():
            files.append(StagedFile(path, text, lines))
    return files


def _new_lines(diff: bytes) -> Iterator[tuple[int, int]]:
    for match in _HUNK.finditer(diff):
        first, n_lines = int(match.group(1)) - 1, int(match.group(2) or 1)
        if n_lines:
            yield first, first + n_lines


def stretches(root: Path, file: StagedFile) -> Iterator[Place]:
    """Give what to review: each function with new lines once, else the new lines themselves."""
    from fimble.actions.place import Place
    from fimble.text.document import DocumentSnapshot
    from fimble.text.language import language_of
    from fimble.text.location import uri_of

    document = DocumentSnapshot(uri_of(root / file.path), language_of(file.path), 1, file.text)
    done: set[tuple[int, int]] = set()
    for first, end in file.new_lines:
        for start, stop in _cut(document, first, end):
            place = Place(document, start, stop)
            function = place.function
            key = (function.span.start_offset, function.span.end_offset) if function else (start, stop)
            if key not in done and document.text[start:stop].strip():
                done.add(key)
                yield place


def _cut(document: DocumentSnapshot, first: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a run of new lines at the functions that lie in it: one request each."""
    from fimble.actions.syntax import parse

    start, stop = document.line_start(first), document.line_end(min(end, document.n_lines) - 1)
    syntax = parse(document.text, document.language)
    tops = sorted(
        (d.span.start_offset, d.span.end_offset)
        for d in (syntax.definitions if syntax else ())
        if d.kind == "function" and start <= d.span.start_offset and d.span.end_offset <= stop
    )
    here = start
    for function_start, function_end in tops:
        if function_start < here:
            continue  # inside the one before
        yield from _without_blank_lines(document, here, function_start)
        yield function_start, function_end
        here = function_end
    yield from _without_blank_lines(document, here, stop)


def _without_blank_lines(document: DocumentSnapshot, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Give a stretch from its first line that says something to its last; nothing where none does."""
    text = document.text[start:stop]
    if text.strip():
        first = document.line_of(start + len(text) - len(text.lstrip()))
        yield max(start, document.line_start(first)), start + len(text.rstrip())


async def _review(
    settings: Settings,
    places: list[tuple[StagedFile, Place]],
    instruction: str,
) -> tuple[list[Remark], list[dict[str, str]]]:
    from fimble.actions.plan import Wish
    from fimble.actions.workspace import DiskWorkspace
    from fimble.app import running
    from fimble.records import CancelToken

    remarks: set[tuple[str, int, str]] = set()
    refused: list[dict[str, str]] = []
    async with running(settings) as app:
        wish = Wish(DiskWorkspace(), instruction, os.environ.get("LANG", ""))
        for number, (file, place) in enumerate(places, 1):
            document = place.document
            first_line = document.line_of(place.start_offset) + 1
            sys.stderr.write(f"{number} of {len(places)}: {file.path}:{first_line}\n")
            result = await app.actions.run("review", place, wish, CancelToken(), lambda d=document: d)  # type: ignore[misc]
            if result.refusal is not None:
                refused.append({"path": file.path, "refusal": result.refusal.value, "message": result.message})
                sys.stderr.write(f"note: {file.path}:{first_line} was not reviewed: {result.message}\n")
            remarks |= {(file.path, document.line_of(f.start_offset) + 1, f.message) for f in result.findings}
    return [Remark(*found) for found in sorted(remarks)], refused


def _git(folder: Path, *arguments: str) -> bytes:
    """Give what git prints. Errors: FimbleError with git's own words."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, timeout=GIT_WAIT_S, check=False
        )
    except FileNotFoundError as error:
        raise FimbleError("git is not installed", "`--staged` reads what git has staged") from error
    except subprocess.TimeoutExpired as error:
        raise FimbleError(f"git did not answer within {GIT_WAIT_S} s") from error
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise FimbleError(f"git failed: {lines[0] if lines else done.returncode}", "run this inside a repository")
    return done.stdout
