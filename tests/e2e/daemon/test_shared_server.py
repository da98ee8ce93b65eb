"""Editors on the real server, through real shims and one real daemon; only the model is scripted."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import socket
import sys
from pathlib import Path

import psutil
import pytest

TEXT = "def add(a, b):\n    "


def serve_command(*, share: bool) -> tuple[str, ...]:
    sharing = () if share else ("--no-share",)
    return (sys.executable, "-m", "fimble", "serve", *sharing, "--set", "engine=scripted")


def socket_path(home) -> Path:
    """Give the socket of a daemon whose answers are scripted, as `fimble.daemon.place` names it."""
    mark = hashlib.sha256(("\0" + home.environment["FIMBLE_SCRIPT"]).encode()).hexdigest()[:8]
    return home.directory / f"daemon-{mark}.sock"


async def test_each_session_has_its_own_documents_settings_and_encoding(home) -> None:
    home.script({"text": "return a + b"})
    utf8 = {"general": {"positionEncodings": ["utf-8"]}, "textDocument": {"inlineCompletion": {}}}
    one, off, other = await asyncio.gather(home.real(), home.real(enabled=False), home.real())
    assert len(home.daemon_pids) == 1
    third = await home.editor(*serve_command(share=True))
    opened = await third.initialize(capabilities=utf8, initializationOptions={"delay_ms": 0})
    assert opened["capabilities"]["positionEncoding"] == "utf-8"
    assert one.opened["capabilities"]["positionEncoding"] == "utf-16"
    for editor in (one, off):
        editor.open(TEXT)
    assert await one.ghost(1, 4) == "return a + b"
    assert await off.ghost(1, 4) is None
    assert await other.ghost(1, 4) is None, "a document of one session is open in another"
    state = await home.status()
    assert sorted(s["n_documents"] for s in state["sessions"]) == [0, 0, 1, 1]
    assert [(m["n_sessions"], m["state"]) for m in state["engines"]] == [(4, "ready")]


async def test_one_sessions_log_level_is_not_the_daemons(home) -> None:
    home.script({"text": "return a + b"})
    await home.real(log_level="error")
    await home.real("--set", "log_level=error")
    await home.real()
    _code, out, _err = await home.command("daemon", "logs")
    assert "session 3 opened" in out


async def test_daemon_killed_while_three_type_and_nothing_typed_is_lost(home) -> None:
    home.script(*({"text": f"after_{n}()", "when": f"typed_{n}_while_it_was_gone"} for n in range(3)))
    editors = await asyncio.gather(*(home.real() for _ in range(3)))
    for editor in editors:
        editor.open("x = 1\n")
        for column, char in enumerate("before_"):
            editor.type(column + 2, 1, column, char)
    await asyncio.gather(*(editor.result("fimble/status") for editor in editors))
    os.kill(home.daemon_pids[0], signal.SIGKILL)
    for n, editor in enumerate(editors):
        for column, char in enumerate(f"typed_{n}_while_it_was_gone = "):
            editor.type(column + 9, 1, column + 7, char)
    for n, editor in enumerate(editors):
        await editor.until_notified("window/showMessage")
        while (await editor.result("fimble/status"))["state"] != "ready":
            await asyncio.sleep(0.02)
        column = 7 + len(f"typed_{n}_while_it_was_gone = ")
        assert await editor.ghost(1, column) == f"after_{n}()"
    assert len(home.daemon_pids) == 1


async def test_flood_of_requests_leaves_the_newest_answered_and_memory_bounded(home) -> None:
    home.script({"text": "return a + b", "token_ms": 5})
    editor, other = await asyncio.gather(home.real(), home.real())
    for one in (editor, other):
        one.open(TEXT)
    daemon = psutil.Process(home.daemon_pids[0])
    before_bytes = daemon.memory_info().rss
    answers = [editor.ask_ghost(1, 4) for _ in range(10_000)]
    assert await other.ghost(1, 4) == "return a + b"
    done = await asyncio.wait_for(asyncio.gather(*answers), 60)
    assert len(done) == 10_000 and all("result" in answer for answer in done)
    assert done[-1]["result"]["items"][0]["insertText"] == "return a + b"
    assert daemon.memory_info().rss - before_bytes < 150_000_000


async def test_eight_editors_get_equal_shares_although_one_asks_for_more(home) -> None:
    home.script({"text": "return a + b", "prefill_ms": 5})
    editors = [await home.real() for _ in range(8)]
    n_answered = [0] * 8
    is_over = asyncio.Event()

    async def type_on(number: int) -> None:
        uri, n_asked = f"file:///{number}.py", 0
        editors[number].open(f"n = {number}\n", uri)
        while not is_over.is_set():
            n_asked += 1
            # Each line is new, so that no answer comes from the cache.
            editors[number].type(n_asked + 1, n_asked, 0, f"line_{n_asked} = \n", uri)
            if await editors[number].ghost(n_asked, len(f"line_{n_asked} = "), uri):
                n_answered[number] += 1
            if n_answered[number] >= 40:
                is_over.set()

    # The first editor types in four documents at once.
    greedy = [asyncio.ensure_future(_burst(editors[0], n, is_over)) for n in range(3)]
    await asyncio.wait_for(asyncio.gather(*(type_on(n) for n in range(8)), *greedy), 60)
    assert min(n_answered[1:]) >= 25, n_answered


async def _burst(editor, number: int, is_over: asyncio.Event) -> None:
    uri = f"file:///burst{number}.py"
    editor.open("pass\n", uri)
    n_asked = 0
    while not is_over.is_set():
        n_asked += 1
        editor.type(n_asked + 1, n_asked, 0, f"line_{n_asked} = \n", uri)
        await editor.ghost(n_asked, len(f"line_{n_asked} = "), uri)


async def test_untrusted_socket_means_a_server_of_its_own_with_a_warning(home) -> None:
    home.script({"text": "return a + b"})
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(socket_path(home)))
    listener.listen()
    socket_path(home).chmod(0o666)
    editor = await home.real()
    editor.open(TEXT)
    assert await editor.ghost(1, 4) == "return a + b"
    assert home.daemon_pids == []
    assert await editor.leave() == 0
    assert b"can be written by other users" in await editor.process.stderr.read()
    listener.close()


async def test_no_share_starts_no_daemon(home) -> None:
    home.script({"text": "return a + b"})
    editor = await home.editor(*serve_command(share=False))
    await editor.initialize()
    assert home.daemon_pids == []
    assert await editor.leave() == 0


async def test_daemon_leaves_when_idle_and_its_place_is_clean(home) -> None:
    home.script()
    config = home.directory / "config" / "fimble"
    config.mkdir(parents=True)
    (config / "config.toml").write_text("daemon_idle_exit_s = 1\n")
    editor = await home.real()
    assert len(home.daemon_pids) == 1
    assert await editor.leave() == 0
    await home.until_gone()
    assert not list(home.directory.glob("*.sock"))
    assert (await home.status())["running"] is False


async def test_daemon_commands_tell_what_runs(home) -> None:
    home.script()
    code, _out, err = await home.command("daemon", "status")
    assert code == 1 and "no daemon runs" in err
    code, out, err = await home.command("daemon", "start")
    assert code == 0 and "running, pid" in out, err
    editor = await home.real()
    code, out, _err = await home.command("daemon", "status")
    assert code == 0 and "test, open" in out
    pid = home.daemon_pids[0]
    code, out, err = await home.command("daemon", "restart")
    assert code == 0, err
    assert home.daemon_pids != [pid] and len(home.daemon_pids) == 1
    editor.open(TEXT)
    assert await editor.result("fimble/status")
    code, out, _err = await home.command("daemon", "logs", "-n", "5")
    assert code == 0 and "session" in out
    code, _out, err = await home.command("daemon", "stop", "--force")
    assert code == 0 and "stopped" in err


@pytest.mark.parametrize("arguments", [("--set", "delay_ms=many"), ("--set", "delay=1"), ("--model",)])
async def test_wrong_flags_end_before_anything_is_started(home, arguments) -> None:
    editor = await home.editor(*serve_command(share=True), *arguments)
    assert await asyncio.wait_for(editor.process.wait(), 20) == 2
    assert home.daemon_pids == []


async def test_shim_is_small_and_loads_nothing_heavy(home) -> None:
    home.script()
    editor = await home.real()
    process = psutil.Process(editor.process.pid)
    assert process.memory_info().rss <= 30_000_000
    loaded = " ".join(m.path for m in process.memory_maps())
    assert not any(name in loaded for name in ("ctranslate2", "tokenizers", "numpy"))
