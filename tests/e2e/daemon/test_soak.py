"""Editors that type while daemons die, sockets vanish and strangers shout: nothing unanswered, nothing out of step.

`FIMBLE_SOAK_S=1800` makes it the soak of half an hour; by default it lasts some seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import signal
import socket
import time

import psutil

SOAK_S = float(os.environ.get("FIMBLE_SOAK_S", "12"))
N_EDITORS = 3
CRASH_PAUSE_S = 31.0
"""Three crashes within a minute are the end by design, so a soak of faults stays below that."""
RSS_GROWTH_BYTES_MAX = 60_000_000


class Typist:
    """One editor that edits a document of its own and knows what the text must be."""

    def __init__(self, editor, number: int, seed: int) -> None:
        self.editor = editor
        self.uri = f"file:///soak/{number}.py"
        self.rng = random.Random(seed)
        self.lines = ["x = 1", "é = '\U0001f600'", ""]
        self.version = 1
        self.n_asked = self.n_answered = self.n_shown = 0
        editor.open("\n".join(self.lines), self.uri)

    def edit(self) -> None:
        """Insert, split or delete somewhere; columns in UTF-16 units."""
        line = self.rng.randrange(len(self.lines))
        text = self.lines[line]
        column = self.rng.randint(0, len(text))
        end = min(len(text), column + self.rng.choice((0, 0, 0, 1, 3)))
        inserted = self.rng.choice(("a", " = ", "\n", "\U0001f600", "ü", "value"))
        if len(self.lines) > 200 and inserted == "\n":
            inserted = "y"
        start_utf16, end_utf16 = units(text[:column]), units(text[:end])
        self.lines[line : line + 1] = (text[:column] + inserted + text[end:]).split("\n")
        self.version += 1
        places = {"start": {"line": line, "character": start_utf16}, "end": {"line": line, "character": end_utf16}}
        identifier = {"uri": self.uri, "version": self.version}
        changes = [{"range": places, "text": inserted}]
        self.editor.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": changes})

    async def ask(self) -> None:
        line = self.rng.randrange(len(self.lines))
        self.n_asked += 1
        answer = await asyncio.wait_for(self.editor.ask_ghost(line, units(self.lines[line]), self.uri), 30)
        self.n_answered += 1
        self.n_shown += bool((answer.get("result") or {}).get("items"))

    async def type_until(self, end_at_s: float) -> None:
        while time.monotonic() < end_at_s:
            for _ in range(self.rng.randint(1, 8)):
                self.edit()
            await self.ask()
            await asyncio.sleep(self.rng.uniform(0, 0.05))

    async def is_in_step(self) -> bool:
        for _ in range(40):
            answer = await asyncio.wait_for(self.editor.ask("fimble/documentDigest", {"uri": self.uri}), 30)
            if "result" in answer:  # else a daemon has just ended
                break
        text = "\n".join(self.lines).encode()
        wanted = {"version": self.version, "sha256": hashlib.sha256(text).hexdigest()}
        return {key: answer["result"][key] for key in wanted} == wanted


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


async def make_trouble(home, end_at_s: float) -> dict[str, int]:
    """Do one harmful thing after the other."""
    rng, done = random.Random(5), {"killed": 0, "unlinked": 0, "shouted": 0, "suspended": 0}
    last_kill_at_s = float("-inf")
    while time.monotonic() < end_at_s - 3:
        await asyncio.sleep(rng.uniform(0.2, 1.0))
        pids, sockets = home.daemon_pids, list(home.directory.glob("*.sock"))
        what = rng.choice(sorted(done))
        if what == "killed" and pids and time.monotonic() - last_kill_at_s > CRASH_PAUSE_S:
            os.kill(pids[0], signal.SIGKILL)
            last_kill_at_s = time.monotonic()
        elif what == "unlinked" and sockets:
            sockets[0].unlink(missing_ok=True)
        elif what == "shouted" and sockets:
            # Nobody may be there to be shouted at: the socket may be a dead daemon's.
            with socket.socket(socket.AF_UNIX) as stranger, contextlib.suppress(OSError):
                stranger.setblocking(False)
                stranger.connect(str(sockets[0]))
                stranger.send(rng.randbytes(5000))
        elif what == "suspended":
            editor = rng.choice(home.editors)
            shim = psutil.Process(editor.process.pid)
            shim.suspend()
            await asyncio.sleep(0.3)
            shim.resume()
        else:
            continue
        done[what] += 1
    return done


async def test_soak_with_faults(home) -> None:
    home.script({"text": "value + 1", "prefill_ms": 3})
    editors = [await home.real(log_level="error") for _ in range(N_EDITORS)]
    typists = [Typist(editor, number, seed=number) for number, editor in enumerate(editors)]
    end_at_s = time.monotonic() + SOAK_S
    before_bytes = [psutil.Process(e.process.pid).memory_info().rss for e in editors]
    trouble, *_ = await asyncio.gather(make_trouble(home, end_at_s), *(t.type_until(end_at_s) for t in typists))
    assert trouble["killed"] >= 1, trouble
    for typist in typists:
        assert typist.n_answered == typist.n_asked and typist.n_shown > 0
        assert await typist.is_in_step()
    after_bytes = [psutil.Process(e.process.pid).memory_info().rss for e in editors]
    assert max(after - before for after, before in zip(after_bytes, before_bytes, strict=True)) < RSS_GROWTH_BYTES_MAX
    assert psutil.Process(home.daemon_pids[0]).memory_info().rss < 200_000_000
    print(trouble, [(t.n_asked, t.n_shown, t.version) for t in typists], after_bytes)
