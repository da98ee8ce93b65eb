"""`fimble privacy`: what a model would read for one place of a file, and what is kept from it. Runs no model."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

from fimble.app import Application
from fimble.cli.complete import offset_at, read_document
from fimble.cli.setting_flags import add_setting_flags, settings_from
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.context import secrets
from fimble.engine.contract import OwnedEngine, Tokenizer
from fimble.engine.listening import ListeningEngine
from fimble.engine.scripted import SPECIAL_NAMES, ByteTokenizer
from fimble.manifest import ModelManifest
from fimble.models.store import ModelStore
from fimble.records import CancelToken, FimPrompt, Trigger
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot

SUMMARY = "Print what a model would read for one place of a file, and what is kept from it."
EPILOG = """examples:
  fimble privacy src/app.py --line 12 --column 9
  fimble privacy .env --line 1 --column 1          says why nothing is read
  fimble privacy src/app.py --line 12 --column 9 --json

The prompt is laid out by the service that editors use, with the model's own tokenizer, and goes nowhere. Standard
output holds the prompt, with the model's control tokens in « »; what was left out is on standard error.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the file, UTF-8; `-` reads standard input")
    parser.add_argument("--line", type=int, required=True, metavar="L", help="line of the cursor, from 1")
    parser.add_argument("--column", type=int, required=True, metavar="C", help="column of the cursor, from 1")
    parser.add_argument("--language", metavar="ID", help="LSP language id (default: from the file's name)")
    parser.add_argument("--json", action="store_true", help="print prompt, reason and what was left out as JSON")
    add_setting_flags(parser)


def run(args: argparse.Namespace) -> int:
    settings = settings_from(args)
    document = read_document(args.file, args.language)
    offset = offset_at(document, args.line, args.column)
    store = ModelStore()
    tokenizer, names = _tokenizer(settings, store)
    engine = ListeningEngine(tokenizer)
    result = asyncio.run(_ask(settings, store, engine, CompletionRequest(document, offset, Trigger.INVOKED)))
    prompt = _readable(engine.prompts[0], tokenizer, names) if engine.prompts else None
    left_out = _left_out(document, result)
    if args.json:
        decline = result.decline if prompt is None else None
        reason = {"reason": decline.reason.value, "detail": decline.detail} if decline else None
        sys.stdout.write(json.dumps({"prompt": prompt, "refused": reason, **left_out}, indent=2) + "\n")
        return 0
    if prompt is not None:
        sys.stdout.write(prompt + "\n")
        for line in _told(left_out):
            sys.stderr.write(line + "\n")
    elif result.decline is not None:
        detail = f" ({result.decline.detail})" if result.decline.detail else ""
        sys.stderr.write(f"nothing of it is read: {result.decline.reason.value}{detail}\n")
    return 0


async def _ask(
    settings: Settings, store: ModelStore, engine: ListeningEngine, request: CompletionRequest
) -> CompletionResult:
    def listening(_settings: Settings) -> OwnedEngine:
        return engine

    app = Application(settings, store, make_engine=listening)
    return await app.completion.complete(request, CancelToken(), lambda: request.document)


def _tokenizer(settings: Settings, store: ModelStore) -> tuple[Tokenizer, dict[int, str]]:
    """Give the model's tokenizer and the names of its control tokens. Errors: ModelError if it is not installed."""
    if settings.engine == "scripted":
        scripted = ByteTokenizer()
        return scripted, {scripted.special(name): name for name in SPECIAL_NAMES}
    from fimble.engine.tokenizer import ModelTokenizer

    tokenizer = ModelTokenizer(store.path(settings.model) / "tokenizer.json")
    return tokenizer, {tokenizer.special(name): name for name in _control_names(store.manifest(settings.model))}


def _control_names(manifest: ModelManifest) -> list[str]:
    names = (manifest.fim.prefix, manifest.fim.suffix, manifest.fim.middle, *manifest.end_tokens)
    return [name for name in dict.fromkeys(names) if name]


def _readable(prompt: FimPrompt, tokenizer: Tokenizer, names: dict[int, str]) -> str:
    """Give the prompt's text with control tokens shown by name."""
    parts: list[str] = []
    plain: list[int] = []
    for token_id in (*prompt.head, *prompt.tail):
        if token_id in names:
            parts += [tokenizer.decode(plain), f"«{names[token_id]}»"]
            plain = []
        else:
            plain.append(token_id)
    return "".join([*parts, tokenizer.decode(plain)])


def _left_out(document: DocumentSnapshot, result: CompletionResult) -> dict[str, Any]:
    found = secrets.find(document.text)
    return {
        "n_tokens": result.trace.n_prefix_tokens + result.trace.n_suffix_tokens,
        "n_document_chars": len(document.text),
        "masked": [{"kind": s.kind, "line": document.line_of(s.start_offset) + 1} for s in found],
    }


def _told(left_out: dict[str, Any]) -> Sequence[str]:
    lines = [f"{left_out['n_tokens']} tokens of the file's {left_out['n_document_chars']} characters"]
    lines += [f"masked: {one['kind']} in line {one['line']}" for one in left_out["masked"]]
    return lines
