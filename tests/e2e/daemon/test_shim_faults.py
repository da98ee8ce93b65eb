"""What may stand in the way between editor and session: untrusted places, malformed bytes, full disks, slow readers."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import psutil
import pytest

from fimble.daemon.framing import frame


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
