"""What `engine = "openai"` must give on any server that runs the default model: ghost text and one action."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from fimble.actions.outcome import ActionResult, apply_edits
from fimble.actions.place import Place
from fimble.actions.plan import Wish
from fimble.actions.syntax import parse
from fimble.actions.workspace import DiskWorkspace
from fimble.app import Application
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.records import CancelToken, Trigger
from fimble.sandbox.process import run
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot

MODEL_ID = "qwen2.5-coder-0.5b"
CURSOR = "║"
# A loaded machine may be slow; what is tested is the answer, not its time.
PATIENT = {"model": MODEL_ID, "deadline_ms": 60_000, "action_deadline_ms": 300_000, "remote_timeout_ms": 300_000}
GHOST = {
    "python": "import json\n\n\ndef load_config(path: str) -> dict:\n    with open(path) as file:\n        return ║\n",
    "go": "package main\n\nfunc add(a int, b int) int {\n\treturn ║\n}\n",
    "typescript": "export function add(a: number, b: number): number {\n  return ║\n}\n",
}
EXPECTED = {"python": "json.load(file)", "go": "a + b", "typescript": "a + b;"}
COMMENT = "# Implement a function that computes the sum of two numbers.\n"


def remote(url: str, name: str = "") -> Settings:
    return Settings(engine="openai", remote_url=url, remote_model=name, **PATIENT)


async def ghost_text(settings: Settings, language: str) -> CompletionResult:
    """Ask for one suggestion at the mark of `language`'s document."""
    text = GHOST[language]
    offset = text.index(CURSOR)
    document = DocumentSnapshot("file:///project/sample", language, 1, text.replace(CURSOR, ""))
    app = Application(settings)
    app.start()
    try:
        await app.engine.wait_ready()
        request = CompletionRequest(document, offset, Trigger.INVOKED)
        return await app.completion.complete(request, CancelToken(), lambda: document)
    finally:
        await asyncio.to_thread(app.close)


async def function_from_comment(settings: Settings) -> ActionResult:
    document = DocumentSnapshot("file:///project/sample.py", "python", 1, COMMENT)
    app = Application(settings)
    app.start()
    try:
        await app.engine.wait_ready()
        wish = Wish(DiskWorkspace())
        place = Place(document, 2, 2)
        return await app.actions.run("function", place, wish, CancelToken(), lambda: document)
    finally:
        await asyncio.to_thread(app.close)


def check_sum(result: ActionResult) -> None:
    """See that the action wrote a function that adds."""
    assert result.refusal is None, result.message
    new = apply_edits(COMMENT, result.edits)
    (function,) = parse(new, "python").definitions
    program = f"{new}\nassert {function.name}(2, 3) == 5\n"
    assert run([sys.executable, "-I", "a.py"], {"a.py": program}).passed, new


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_answering(url: str, process: subprocess.Popen[bytes], limit_s: float = 120) -> None:
    """Wait until a server that was started answers at `url`, with whatever status."""
    give_up_at_s = time.monotonic() + limit_s
    while time.monotonic() < give_up_at_s:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            urllib.request.urlopen(url, timeout=5)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"nobody answers at {url}")
