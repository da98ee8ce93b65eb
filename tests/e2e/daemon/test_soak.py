"""Editors that type while daemons die, sockets vanish and strangers shout: nothing unanswered, nothing out of step.

In the second soak everything but the daemon is harmed: one daemon lives through it, and its memory is followed.
`FIMBLE_SOAK_S=1800` makes each the soak of half an hour; by default they last some seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import signal
import socket
import statistics
import time

import psutil

SOAK_S = float(os.environ.get("FIMBLE_SOAK_S", "12"))
N_EDITORS = 3
CRASH_PAUSE_S = 31.0
"""Three crashes within a minute are the end by design, so a soak of faults stays below that."""
RSS_GROWTH_BYTES_MAX = 60_000_000
ALL_FAULTS = ("killed", "shouted", "suspended", "unlinked")
N_SAMPLES = 24
WARM_SHARE = 0.25
"""The first quarter fills caches and arenas; from then on memory has to be flat."""
FLAT_BYTES_MAX = 12_000_000


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


async def make_trouble(home, end_at_s: float, faults: tuple[str, ...] = ALL_FAULTS) -> dict[str, int]:
    """Do one harmful thing after the other."""
    rng, done = random.Random(5), dict.fromkeys(faults, 0)
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
            editor = rng.choice(home.editors[:N_EDITORS])
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


async def come_and_go(home, end_at_s: float) -> int:
    """Open one editor after the other beside those that stay; each has a large document and leaves, or is killed."""
    rng, n_gone = random.Random(7), 0
    while time.monotonic() < end_at_s - 3:
        editor = await home.real(log_level="error")
        uri = f"file:///soak/guest{n_gone}.py"
        editor.open("".join(f"line_{n} = {n}\n" for n in range(5000)), uri)
        for n in range(5):
            editor.type(n + 2, n, 0, f"new_{n} = ", uri)
            await editor.ghost(n, len(f"new_{n} = "), uri)
        if rng.random() < 0.5:
            await editor.leave()
        else:
            editor.ask_ghost(3, 0, uri)  # gone before it is answered
        await editor.stop()
        home.editors.remove(editor)
        n_gone += 1
    return n_gone


async def follow_memory(pid: int, end_at_s: float) -> list[int]:
    """Give the daemon's resident bytes, looked at now and then until the end."""
    process, every_s = psutil.Process(pid), (end_at_s - time.monotonic()) / N_SAMPLES
    resident_bytes = []
    while time.monotonic() < end_at_s:
        resident_bytes.append(process.memory_info().rss)
        await asyncio.sleep(every_s)
    return resident_bytes


async def test_daemon_that_lives_through_it_stays_flat(home) -> None:
    home.script({"text": "value + 1", "prefill_ms": 3})
    editors = [await home.real(log_level="error") for _ in range(N_EDITORS)]
    typists = [Typist(editor, number, seed=number) for number, editor in enumerate(editors)]
    [pid] = home.daemon_pids
    end_at_s = time.monotonic() + SOAK_S
    resident_bytes, n_gone, trouble, *_ = await asyncio.gather(
        follow_memory(pid, end_at_s),
        come_and_go(home, end_at_s),
        make_trouble(home, end_at_s, ("shouted", "suspended", "unlinked")),
        *(t.type_until(end_at_s) for t in typists),
    )
    # Beside it there may be one that was started while the socket was away, and ends as it finds the lock held.
    assert pid in home.daemon_pids, "the daemon did not live through it"
    for typist in typists:
        assert typist.n_answered == typist.n_asked and typist.n_shown > 0
        assert await typist.is_in_step()
    assert n_gone > 0
    warm = resident_bytes[int(len(resident_bytes) * WARM_SHARE) :]
    third = len(warm) // 3
    growth_bytes = statistics.median(warm[-third:]) - statistics.median(warm[:third])
    print(trouble, n_gone, [(t.n_asked, t.version) for t in typists], [b >> 20 for b in resident_bytes], "MiB")
    assert growth_bytes < FLAT_BYTES_MAX, [b >> 20 for b in resident_bytes]
