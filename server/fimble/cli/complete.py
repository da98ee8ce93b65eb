"""`fimble complete`: one suggestion for one place of one file, by the service that editors use. No logic of its own."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from fimble.cli.number import count_from_1
from fimble.cli.running_daemon import add_sharing_flag, ask_running
from fimble.cli.setting_flags import add_setting_flags, settings_from
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.daemon.visit import ANSWER_LIMIT_MS, Visit
from fimble.errors import FimbleError, UsageError
from fimble.options import resolve_strict
from fimble.records import CancelToken, Completion, Trigger
from fimble.settings import ASKED_ONCE, Settings
from fimble.text.document import DocumentSnapshot
from fimble.text.language import language_of
from fimble.text.line_index import LINE_END
from fimble.text.position import Encoding, Position, to_offset, to_position

SUMMARY = "Print what would be suggested at one place of a file."
EPILOG = """examples:
  fimble complete src/app.py --line 12 --column 9
  fimble complete src/app.py --line 12 --column 9 --json
  fimble complete - --language go --line 3 --column 1 < main.go

Lines and columns count from 1, as editors show them; a column counts characters, and the column after
the last one is the end of the line. Standard output holds the text to insert and nothing else. When nothing is
suggested it is empty, the reason is on standard error, and the exit code is 0.

Where the daemon that editors share is running, it answers, and no second copy of the model is loaded.
"""
INVOKED = 1
"""LSP InlineCompletionTriggerKind."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the file, UTF-8; `-` reads standard input")
    parser.add_argument("--line", type=int, required=True, metavar="L", help="line of the cursor, from 1")
    parser.add_argument("--column", type=int, required=True, metavar="C", help="column of the cursor, from 1")
    parser.add_argument("--language", metavar="ID", help="LSP language id (default: from the file's name)")
    parser.add_argument(
        "--alternatives", type=count_from_1, default=1, metavar="N", help="ask for up to N suggestions (default: 1)"
    )
    parser.add_argument("--json", action="store_true", help="print everything: text, range, reason, trace")
    add_sharing_flag(parser)
    add_setting_flags(parser)


def run(args: argparse.Namespace) -> int:
    settings = resolve_strict({"n_alternatives": args.alternatives}, settings_from(args), source="`--alternatives`")
    document = read_document(args.file, args.language)
    offset = offset_at(document, args.line, args.column)
    answer = ask_running(settings, lambda visit: _visited(visit, settings, document, offset), share=not args.no_share)
    if answer is None:
        answer = _as_json(asyncio.run(_complete(settings, document, offset)))
    decline = answer["decline"]
    if args.json:
        sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
    elif decline is not None:
        detail = f" ({decline['detail']})" if decline["detail"] else ""
        sys.stderr.write(f"nothing suggested: {decline['reason']}{detail}\n")
    else:
        sys.stdout.write("\n\n".join(completion["text"] for completion in answer["completions"]) + "\n")
    return 0


def read_document(name: str, language: str | None) -> DocumentSnapshot:
    """Read FILE, or standard input for `-`, with its line ends as they are.

    Errors: FimbleError if it is missing, a folder, binary or not UTF-8.
    """
    if name == "-":
        uri, shown = "untitled:stdin", "standard input"
        data = sys.stdin.buffer.read()
    else:
        path = Path(name)
        uri, shown = path.absolute().as_uri(), f"`{name}`"
        try:
            data = path.read_bytes()
        except OSError as error:
            raise FimbleError(
                f"cannot read {shown}: {error.strerror}", "name a file, or `-` for standard input"
            ) from error
    if b"\0" in data:
        raise FimbleError(f"{shown} is binary: it holds a zero byte", "only text can be completed")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FimbleError(
            f"{shown} is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}",
            "convert it, for example with `iconv`",
        ) from error
    return DocumentSnapshot(uri, language or language_of("" if name == "-" else name), 1, text)


def offset_at(document: DocumentSnapshot, line: int, column: int) -> int:
    """Give the offset of a line and column that count from 1. Errors: UsageError if there is no such place."""
    if not 1 <= line <= document.n_lines:
        raise UsageError(f"line {line} is outside: there are {document.n_lines}", "lines count from 1")
    starts = document.line_starts
    start_offset = starts[line - 1]
    line_end = LINE_END.search(document.text, start_offset)
    end_offset = line_end.start() if line_end else len(document.text)
    n_columns = end_offset - start_offset + 1
    if not 1 <= column <= n_columns:
        raise UsageError(
            f"column {column} is outside: line {line} has columns 1 to {n_columns}", "columns count from 1"
        )
    return start_offset + column - 1


def _visited(visit: Visit, settings: Settings, document: DocumentSnapshot, offset: int) -> dict[str, Any]:
    """Ask the daemon as an editor does; gives what `--json` prints."""
    visit.open(document.uri, document.language, document.text)
    asked = {
        "textDocument": {"uri": document.uri},
        "position": position_of(document, offset),
        "context": {"triggerKind": INVOKED},
    }
    found = visit.request("textDocument/inlineCompletion", asked, ANSWER_LIMIT_MS + settings.deadline_ms)
    trace = visit.request("workspace/executeCommand", {"command": "fimble.explain", "arguments": []})["trace"]
    items = [
        {"text": item["insertText"]}
        | {end: _place(document, _offset(document, item["range"][end])) for end in ("start", "end")}
        for item in found["items"]
    ]
    decline = None if items else {"reason": trace["reason"], "detail": trace["detail"]}
    return {"completions": items, "decline": decline, "trace": trace}


def position_of(document: DocumentSnapshot, offset: int) -> dict[str, int]:
    """Give the offset as the daemon is told it: counted from 0, in code points."""
    place = to_position(document, offset, Encoding.UTF32)
    return {"line": place.line, "character": place.character}


def _offset(document: DocumentSnapshot, position: dict[str, int]) -> int:
    return to_offset(document, Position(position["line"], position["character"]), Encoding.UTF32)


async def _complete(settings: Settings, document: DocumentSnapshot, offset: int) -> CompletionResult:
    """Ask a model of this process's own."""
    from fimble.app import running

    request = CompletionRequest(document, offset, Trigger.INVOKED, n_alternatives=settings.n_alternatives)
    async with running(resolve_strict(ASKED_ONCE, settings, source="the command")) as app:
        return await app.completion.complete(request, CancelToken(), lambda: request.document)


def _as_json(result: CompletionResult) -> dict[str, Any]:
    decline = result.decline
    trace = dataclasses.asdict(result.trace)
    return {
        "completions": [_completion_as_json(result.document, completion) for completion in result.completions],
        "decline": {"reason": decline.reason.value, "detail": decline.detail} if decline else None,
        "trace": trace | {"trigger": result.trace.trigger.value},
    }


def _completion_as_json(document: DocumentSnapshot, completion: Completion) -> dict[str, Any]:
    return {
        "text": completion.text,
        "start": _place(document, completion.start_offset),
        "end": _place(document, completion.end_offset),
    }


def _place(document: DocumentSnapshot, offset: int) -> dict[str, int]:
    line = document.line_of(offset)
    return {"line": line + 1, "column": offset - document.line_starts[line] + 1, "offset": offset}
