"""The way from an editor to a session and back, with sessions that only remember."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import Any

from fimble.daemon import control
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
    await home.until_gone(before)
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
