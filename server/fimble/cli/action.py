"""`fimble action`: one code action on one place of a file, by the service that editors use. No logic of its own."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fimble.cli.running_daemon import add_sharing_flag, ask_running
from fimble.cli.setting_flags import add_setting_flags, settings_from
from fimble.daemon.visit import ANSWER_LIMIT_MS, Visit
from fimble.errors import DaemonError, FimbleError, UsageError

if TYPE_CHECKING:
    from fimble.actions.outcome import ActionResult
    from fimble.actions.place import Place
    from fimble.settings import Settings
    from fimble.text.document import DocumentSnapshot

SUMMARY = "Run a code action on a place of a file: write, fix, document, test, explain, …"
EPILOG = """examples:
  fimble action function src/calc.py --range 3:1          write what the comment on line 3 asks for
  fimble action document src/calc.py --range 12:1 --apply
  fimble action edit src/calc.py --range 10:1-24:1 --instruction "return a list instead" --apply
  fimble action translate src/calc.py --range 1:1-30:1 --instruction go
  fimble action review --staged                           what `git add` has staged, function by function
  fimble action list src/calc.py --range 12:1             what makes sense there

Lines and columns count from 1; `--range L:C` is a cursor, `--range L:C-L:C` a selection. Without `--apply` nothing is
written: standard output holds the change as a diff, or the text for explain and review. Exit code 1: nothing to apply,
and standard error says why. Where the daemon that editors share is running, its model answers.
"""
_RANGE = re.compile(r"(\d+):(\d+)(?:-(\d+):(\d+))?")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the action, or `list` for those that make sense at the place")
    parser.add_argument("file", nargs="?", metavar="FILE", help="the file, UTF-8; `-` reads standard input")
    parser.add_argument("--range", dest="place", metavar="L:C[-L:C]", help="cursor or selection, from 1")
    parser.add_argument(
        "--staged", nargs="?", const="", metavar="PATH", help="for review: what git has staged, of all files or of one"
    )
    parser.add_argument("--language", metavar="ID", help="LSP language id (default: from the file's name)")
    parser.add_argument("--instruction", default="", metavar="TEXT", help="your own words; for translate the language")
    parser.add_argument("--problem", default="", metavar="TEXT", help="for fix: the message to fix")
    parser.add_argument("--apply", action="store_true", help="write the change to the file")
    parser.add_argument("--show-answer", action="store_true", help="also print the model's own answer, to stderr")
    parser.add_argument("--json", action="store_true", help="print everything: edits, checks, answer, counts")
    add_sharing_flag(parser)
    add_setting_flags(parser)


def run(args: argparse.Namespace) -> int:
    from fimble.cli.complete import read_document

    settings = settings_from(args)
    if args.staged is not None:
        return _review_staged(args, settings)
    if args.file is None or args.place is None:
        raise UsageError("an action needs a file and `--range`", "for example `src/calc.py --range 3:1`")
    if args.apply and args.file == "-":
        raise UsageError("`--apply` needs a file, not standard input")
    document = read_document(args.file, args.language)
    start_offset, end_offset = _range(document, args.place)
    if args.name == "list":
        return _list(_place(document, start_offset, end_offset, args.problem), settings, as_json=args.json)
    result = ask_running(
        settings,
        lambda visit: _visited(visit, settings, document, start_offset, end_offset, args),
        share=not args.no_share,
    )
    if result is None:
        result = asyncio.run(_run(settings, _place(document, start_offset, end_offset, args.problem), args))
    if args.json:
        sys.stdout.write(json.dumps(result.as_json(), indent=2, ensure_ascii=False) + "\n")
    elif result.refusal is None:
        _print(result, document)
    if args.show_answer:
        sys.stderr.write(result.raw_text.rstrip() + "\n")
    if result.refusal is not None:
        raise FimbleError(f"nothing to apply: {result.message}", result.hint)
    for note in result.notes:
        sys.stderr.write(f"note: {note}\n")
    if args.apply:
        _apply(result, document, Path(args.file))
    return 0


def _review_staged(args: argparse.Namespace, settings: Settings) -> int:
    from fimble.cli import staged_review

    if args.name != "review" or args.file or args.place or args.apply:
        raise UsageError("`--staged` goes with `review` alone", "`fimble action review --staged` or `--staged PATH`")
    return staged_review.run(settings, args.staged, instruction=args.instruction, as_json=args.json)


def _range(document: DocumentSnapshot, text: str) -> tuple[int, int]:
    """Give the offsets of `L:C` or `L:C-L:C`. Errors: UsageError if that is no place of the document."""
    from fimble.cli.complete import offset_at

    match = _RANGE.fullmatch(text)
    if match is None:
        raise UsageError(f"`{text}` is not a range", "for example `--range 3:1` or `--range 3:1-7:20`")
    numbers = [int(n) for n in match.groups() if n is not None]
    start_offset = offset_at(document, *numbers[:2])
    end_offset = offset_at(document, *numbers[2:]) if len(numbers) == 4 else start_offset
    if end_offset < start_offset:
        raise UsageError(f"the range `{text}` ends before it starts")
    return start_offset, end_offset


def _place(document: DocumentSnapshot, start_offset: int, end_offset: int, problem: str) -> Place:
    from fimble.actions.place import Place, Problem

    problems = (Problem(problem, start_offset, end_offset),) if problem else ()
    return Place(document, start_offset, end_offset, problems)


def _list(place: Place, settings: Settings, *, as_json: bool) -> int:
    from fimble.app import Application

    offers = Application(settings).actions.offers(place)
    if as_json:
        sys.stdout.write(json.dumps([dataclasses.asdict(o) for o in offers], indent=2, ensure_ascii=False) + "\n")
    else:
        for offer in offers:
            sys.stdout.write(f"{offer.action:<12} {offer.title}\n")
    return 0


def _visited(
    visit: Visit,
    settings: Settings,
    document: DocumentSnapshot,
    start_offset: int,
    end_offset: int,
    args: argparse.Namespace,
) -> ActionResult:
    """Ask the running daemon; it changes nothing, and the result is applied here."""
    from fimble.actions.outcome import ActionResult
    from fimble.cli.complete import position_of

    visit.open(document.uri, document.language, document.text)
    where = {"start": position_of(document, start_offset), "end": position_of(document, end_offset)}
    wanted = {
        "name": args.name,
        "uri": document.uri,
        "range": where,
        "instruction": args.instruction,
        "problems": [{"message": args.problem, "range": where}] if args.problem else [],
    }
    told = visit.request("fimble/runAction", wanted, ANSWER_LIMIT_MS + settings.action_deadline_ms)
    try:
        return ActionResult.of_json(told)
    except (TypeError, KeyError, ValueError) as error:
        raise DaemonError("the daemon's answer is not understood") from error


async def _run(settings: Settings, place: Place, args: argparse.Namespace) -> ActionResult:
    """Ask a model of this process's own."""
    from fimble.actions.plan import Wish
    from fimble.actions.workspace import DiskWorkspace
    from fimble.app import running
    from fimble.records import CancelToken

    async with running(settings) as app:
        wish = Wish(DiskWorkspace(), args.instruction, os.environ.get("LANG", ""))
        return await app.actions.run(args.name, place, wish, CancelToken(), lambda: place.document)


def _print(result: ActionResult, document: DocumentSnapshot) -> None:
    from fimble.actions.outcome import apply_edits
    from fimble.text.location import path_of

    if result.reason:
        sys.stderr.write(result.reason + "\n")
    if result.edits:
        name = path_of(document.uri) or "stdin"
        sys.stdout.write(_diff(document.text, apply_edits(document.text, result.edits), name))
    for file in result.files:
        sys.stdout.write(_diff(file.old_text or "", apply_edits(file.old_text or "", file.edits), file.path))
    for finding in result.findings:
        sys.stdout.write(f"{document.line_of(finding.start_offset) + 1}: {finding.message}\n")
    if result.markdown and not (result.edits or result.files or result.findings):
        sys.stdout.write(result.markdown)


def _diff(old: str, new: str, name: str) -> str:
    import difflib

    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), name if old else os.devnull, name
    )
    # A line without its end would run into the next one of the diff.
    return "".join(line if line.endswith(("\n", "\r")) else line + "\n" for line in lines)


def _apply(result: ActionResult, document: DocumentSnapshot, path: Path) -> None:
    """Write what changed. Errors: FimbleError if a file changed meanwhile, exists already or cannot be written."""
    from fimble.actions.outcome import apply_edits

    written: list[Path] = []
    if result.edits:
        head = path.read_bytes()[:3]
        mark = "\ufeff" if head == b"\xef\xbb\xbf" else ""
        if path.read_bytes().decode("utf-8-sig", "replace") != document.text:
            raise FimbleError(f"`{path}` was changed meanwhile", "nothing was written; run the action again")
        _write(path, mark + apply_edits(document.text, result.edits))
        written.append(path)
    for file in result.files:
        target = Path(file.path)
        if file.old_text is None and target.exists():
            raise FimbleError(f"`{target}` exists already", "move it away, or take the text from the output")
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, apply_edits(file.old_text or "", file.edits))
        written.append(target)
    for done in written:
        sys.stderr.write(f"wrote {done}\n")


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.fimble-new")
    try:
        # A file that may not be written must not be replaced either, though its folder would allow it.
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(13, "it is read-only")
        fresh.write_bytes(text.encode("utf-8"))
        if path.exists():
            fresh.chmod(path.stat().st_mode & 0o7777)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise FimbleError(f"cannot write `{path}`: {error.strerror}", "nothing was changed") from error
