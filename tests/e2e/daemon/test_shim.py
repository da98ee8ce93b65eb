"""The way from an editor to a session and back, with sessions that only remember."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from fimble.daemon import control
from fimble.daemon.framing import frame
from fimble.daemon.place import Place

CODE_CONTENT_MODIFIED = -32801


def opening(uri: str, text: str = "one\n") -> dict[str, Any]:
    return {"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": text}}


def change(uri: str, version: int, text: str) -> dict[str, Any]:
    spot = {"line": 0, "character": 0}
    return {
        "textDocument": {"uri": uri, "version": version},
        "contentChanges": [{"range": {"start": spot, "end": spot}, "text": text}],
    }


async def methods(editor: Any) -> list[str]:
    """Give what the session received; asked again while a daemon is leaving, as editors ask again."""
    for _ in range(10):
        answer = await asyncio.wait_for(editor.ask("test/received"), 20)
        if "result" in answer:
            return [message["method"] for message in answer["result"]]
        assert answer["error"]["code"] == CODE_CONTENT_MODIFIED
    raise AssertionError("no daemon answers")


async def test_two_editors_share_one_daemon_and_see_nothing_of_each_other(home) -> None:
    one, two = await home.editor(), await home.editor()
    first, second = await asyncio.gather(one.initialize(), two.initialize())
    assert first["serverInfo"]["pid"] == second["serverInfo"]["pid"] == home.daemon_pids[0]
    one.notify("textDocument/didOpen", opening("file:///one.py"))
    assert "textDocument/didOpen" in await methods(one)
    assert "textDocument/didOpen" not in await methods(two)


async def test_shims_started_at_the_same_instant_start_one_daemon(home) -> None:
    editors = await asyncio.gather(*(home.editor() for _ in range(6)))
    results = await asyncio.gather(*(editor.initialize() for editor in editors))
    assert len({result["serverInfo"]["pid"] for result in results}) == 1
    assert len(home.daemon_pids) == 1


async def test_session_options_reach_the_daemon(home) -> None:
    editor = await home.editor()
    await editor.initialize()
    assert (await editor.result("test/words"))["options"] == [["model", "m"]]


async def test_shutdown_and_exit_end_the_shim_with_zero_and_leave_the_daemon(home) -> None:
    one, two = await home.editor(), await home.editor()
    await asyncio.gather(one.initialize(), two.initialize())
    assert await one.leave() == 0
    assert await two.result("test/words")
    two.notify("exit")
    assert await two.process.wait() == 1, "exit without shutdown is 1 in LSP"


async def test_shim_ends_when_the_editor_is_gone(home) -> None:
    quiet, deaf = await home.editor(), await home.editor()
    await asyncio.gather(quiet.initialize(), deaf.initialize())
    quiet.process.stdin.close()
    assert await asyncio.wait_for(quiet.process.wait(), 10) == 0
    # Its output is read no more, but its input stays open.
    deaf.process._transport.get_pipe_transport(1).close()
    deaf.ask("test/words")
    assert await asyncio.wait_for(deaf.process.wait(), 10) == 0


async def test_daemon_killed_the_session_is_opened_again_and_nothing_is_lost(home) -> None:
    editors = await asyncio.gather(*(home.editor() for _ in range(3)))
    await asyncio.gather(*(editor.initialize() for editor in editors))
    for n, editor in enumerate(editors):
        editor.notify("textDocument/didOpen", opening(f"file:///{n}.py"))
        editor.notify("textDocument/didOpen", opening("file:///closed.py"))
        editor.notify("textDocument/didClose", {"textDocument": {"uri": "file:///closed.py"}})
        editor.notify("textDocument/didChange", change(f"file:///{n}.py", 2, "a"))
    await asyncio.gather(*(editor.result("test/words") for editor in editors))
    os.kill(home.daemon_pids[0], signal.SIGKILL)
    for n, editor in enumerate(editors):
        editor.notify("textDocument/didChange", change(f"file:///{n}.py", 3, "b"))
    for n, editor in enumerate(editors):
        await editor.until_notified("window/showMessage")
        received = await editor.result("test/received")
        assert [m["method"] for m in received[:-1]] == [
            "initialize",
            "initialized",
            "textDocument/didOpen",
            "textDocument/didChange",
            "textDocument/didChange",
        ]
        assert received[2]["params"]["textDocument"]["uri"] == f"file:///{n}.py"
        assert [m["params"]["textDocument"]["version"] for m in received[3:5]] == [2, 3]
        shown = [m for m in editor.notifications if m["method"] == "window/showMessage"]
        assert len(shown) == 1 and "restarted" in shown[0]["params"]["message"]
    assert len(home.daemon_pids) == 1


async def test_request_under_way_when_the_daemon_dies_is_answered(home) -> None:
    editor = await home.editor()
    await editor.initialize()
    waiting = editor.ask("test/never")
    await editor.result("test/words")
    os.kill(home.daemon_pids[0], signal.SIGKILL)
    answer = await asyncio.wait_for(waiting, 10)
    assert answer["error"]["code"] == CODE_CONTENT_MODIFIED


async def test_progress_and_registrations_of_a_dead_daemon_are_taken_back(home) -> None:
    editor = await home.editor()
    await editor.initialize()
    begin = {"method": "$/progress", "params": {"token": "t", "value": {"kind": "begin", "title": "loading"}}}
    registration = {"id": "r1", "method": "textDocument/inlineCompletion"}
    register = {"id": "s1", "method": "client/registerCapability", "params": {"registrations": [registration]}}
    await editor.result("test/send", begin)
    await editor.result("test/send", register)
    editor.send({"id": "s1", "result": None})
    await editor.result("test/words")
    os.kill(home.daemon_pids[0], signal.SIGKILL)
    await editor.until_notified("window/showMessage")
    assert [m["params"]["value"]["kind"] for m in editor.notifications if m["method"] == "$/progress"] == [
        "begin",
        "end",
    ]
    taken_back = editor.requests[-1]
    assert taken_back["method"] == "client/unregisterCapability"
    assert taken_back["params"]["unregisterations"] == [registration]
    editor.send({"id": taken_back["id"], "result": None})
    received = await editor.result("test/received")
    assert all("method" in message for message in received), "an answer to a dead daemon reached its successor"


async def test_three_crashes_in_a_minute_end_in_a_clear_message(home) -> None:
    editor = await home.editor()
    await editor.initialize()
    for _ in range(3):
        answer = await asyncio.wait_for(editor.ask("test/crash"), 20)
        assert answer["error"]["code"] == CODE_CONTENT_MODIFIED
    assert await asyncio.wait_for(editor.process.wait(), 20) == 1
    assert b"three times within a minute" in await editor.process.stderr.read()
    assert "three times" in editor.notifications[-1]["params"]["message"]


async def test_planned_restart_is_silent_and_keeps_the_documents(home) -> None:
    editor = await home.editor()
    before = (await editor.initialize())["serverInfo"]["pid"]
    editor.notify("textDocument/didOpen", opening("file:///kept.py"))
    await editor.result("test/words")
    # What the command asks; itself it would go on to start the real daemon.
    assert await asyncio.to_thread(control.ask, Place(home.directory, "daemon"), "restart")
    assert "textDocument/didOpen" in await methods(editor)
    assert before not in home.daemon_pids
    assert not [m for m in editor.notifications if m["method"] == "window/showMessage"]


async def test_stop_needs_force_while_an_editor_is_connected(home) -> None:
    editor = await home.editor()
    await editor.initialize()
    code, _out, err = await home.command("daemon", "stop")
    assert code == 1 and "editors are using it" in err and "--force" in err
    code, _out, _err = await home.command("daemon", "stop", "--force")
    assert code == 0
    assert await asyncio.wait_for(editor.process.wait(), 10) == 0
    await home.until_gone()


async def test_socket_removed_under_the_daemon_comes_back(home) -> None:
    one = await home.editor()
    first = await one.initialize()
    (home.directory / "daemon.sock").unlink()
    two = await home.editor()
    second = await two.initialize()
    assert second["serverInfo"]["pid"] == first["serverInfo"]["pid"]
    assert await one.result("test/words"), "the open session was disturbed"


async def test_stale_socket_of_a_killed_daemon_is_replaced(home) -> None:
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(home.directory / "daemon.sock"))
    stale.close()
    (home.directory / "daemon.sock").chmod(0o600)
    editor = await home.editor()
    assert await editor.initialize()


@pytest.mark.parametrize("spoil", ["socket-writable", "directory-open", "no-socket"])
async def test_untrusted_place_is_refused(home, spoil: str) -> None:
    path = home.directory / "daemon.sock"
    listener = socket.socket(socket.AF_UNIX)
    if spoil == "no-socket":
        path.write_text("not a socket")
    else:
        listener.bind(str(path))
        listener.listen()
        path.chmod(0o666 if spoil == "socket-writable" else 0o600)
    if spoil == "directory-open":
        home.directory.chmod(0o755)
    editor = await home.editor()
    assert await asyncio.wait_for(editor.process.wait(), 20) == 1
    assert b"error: " in (said := await editor.process.stderr.read()) and b"hint: " in said
    listener.setblocking(False)
    with pytest.raises((BlockingIOError, OSError)):
        listener.accept()
    listener.close()


async def test_malformed_header_ends_with_a_message_and_spares_the_others(home) -> None:
    one, two = await home.editor(), await home.editor()
    await asyncio.gather(one.initialize(), two.initialize())
    one._answers[None] = refused = asyncio.get_running_loop().create_future()
    one.send_raw(b"Content-Length: many\r\n\r\n{}")
    assert (await asyncio.wait_for(refused, 10))["error"]["code"] == -32700
    assert await one.process.wait() == 1
    assert await two.result("test/words")


async def test_message_of_200_megabytes_is_skipped_and_the_session_goes_on(home) -> None:
    editor = await home.editor()
    await editor.initialize()
    editor._answers[None] = refused = asyncio.get_running_loop().create_future()
    editor.send_raw(b"Content-Length: 200000000\r\n\r\n")
    for _ in range(200):
        editor.send_raw(bytes(1_000_000))
        await editor.process.stdin.drain()
    assert "too large" in (await asyncio.wait_for(refused, 20))["error"]["message"]
    assert await editor.result("test/words")
    assert psutil.Process(editor.process.pid).memory_info().rss < 60_000_000


async def test_connection_that_says_nothing_or_nonsense_is_let_go(home) -> None:
    editor = await home.editor()
    await editor.initialize()
    silent, rude = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    for one in (silent, rude):
        one.connect(str(home.directory / "daemon.sock"))
        one.settimeout(10)
    rude.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert await asyncio.to_thread(rude.recv, 10) == b""
    assert await asyncio.to_thread(silent.recv, 10) == b""
    assert await editor.result("test/words")


async def test_full_disk_for_the_log_costs_nothing_else(home) -> None:
    home.environment["FIMBLE_DAEMON_LOG"] = "/dev/full"
    one, two = await home.editor(), await home.editor()
    await asyncio.gather(one.initialize(), two.initialize())
    assert await one.leave() == 0
    assert await two.result("test/words")


async def test_slow_reader_blocks_only_itself(home) -> None:
    slow, quick = await home.editor(), await home.editor()
    await asyncio.gather(slow.initialize(), quick.initialize())
    psutil.Process(slow.process.pid).suspend()
    for n in range(2000):
        slow.notify("test/flood", {"n": n, "filler": "x" * 1000})
    assert await asyncio.wait_for(quick.result("test/words"), 5)
    psutil.Process(slow.process.pid).resume()
    received = await slow.result("test/received")
    assert [m["params"]["n"] for m in received if m["method"] == "test/flood"] == list(range(2000))


async def test_daemon_of_another_version_makes_way_when_idle_only(home, tmp_path: Path) -> None:
    old = tmp_path / "old_daemon.py"
    stand_in = Path(__file__).with_name("stand_in_daemon.py")
    old.write_text(
        "import runpy, sys, fimble\nfimble.__version__ = '0.0.1'\nsys.argv = ['x', '20']\n"
        f"runpy.run_path({str(stand_in)!r}, run_name='__main__')\n"
    )
    environment = home.environment
    process = await asyncio.create_subprocess_exec(sys.executable, str(old), env=environment)
    await home.until_listening()
    busy = socket.socket(socket.AF_UNIX)
    busy.connect(str(home.directory / "daemon.sock"))
    busy.sendall(frame(b'{"fimble": "hello", "version": "0.0.1", "role": "session", "token": ""}'))
    assert b"welcome" in await asyncio.to_thread(busy.recv, 1000)
    refused = await home.editor()
    assert await asyncio.wait_for(refused.process.wait(), 20) == 1
    assert b"0.0.1 and has 1 editors" in await refused.process.stderr.read()
    busy.close()
    editor = await home.editor()
    pid = (await editor.initialize())["serverInfo"]["pid"]
    assert pid != process.pid, "an idle daemon of another version must be replaced"
    assert await asyncio.wait_for(process.wait(), 10) == 0
