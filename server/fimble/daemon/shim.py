"""Pipe one editor's stdio to the daemon's socket and keep its session alive. Imports nothing heavy, answers nothing."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from fimble.daemon import greeting
from fimble.daemon.framing import FrameError, FrameSplitter, Skipped, frame
from fimble.daemon.memory import REPLAY_ID, UNREGISTER_ID, Message, SessionMemory
from fimble.daemon.revival import Revival
from fimble.daemon.starter import Joined, Starter
from fimble.errors import DaemonError

RECEIVE_BYTES = 64 * 1024
HELD_BYTES_MAX = 16_000_000
"""While no daemon answers, so much of the editor's input is held; beyond it the editor waits."""
IDLE_FOLD_S = 1.0

WARNING, ERROR = 2, 1
"""LSP MessageType."""
PARSE_ERROR, INVALID_REQUEST = -32700, -32600


class Shim:
    """One editor's end.

    **Invariant:** what the editor sent is either in `memory` (it went to a daemon) or in `_held` (it did not
    yet), so a dead daemon loses nothing. `_lock` guards both and is never held while bytes are written to the
    daemon: a daemon that waits for us to read must not keep us from reading.
    """

    def __init__(self, starter: Starter, words: dict[str, Any], input_fd: int = 0, output_fd: int = 1) -> None:
        self._starter = starter
        self._words = words
        self._input_fd = input_fd
        self._output_fd = output_fd
        self._memory = SessionMemory()
        self._lock = threading.Condition()
        self._output_lock = threading.Lock()
        self._link: Joined | None = None
        self._joining: Joined | None = None
        self._held: deque[bytes] = deque()
        self._n_held_bytes = 0
        self._revival = Revival()
        self._is_ending = False

    def run(self, joined: Joined) -> int:
        """Pipe until the editor leaves; gives the exit code: 1 for `exit` without `shutdown`, as LSP asks, else 0."""
        self._link = joined
        threading.Thread(target=self._follow_daemon, args=(joined,), name="fimble-shim", daemon=True).start()
        exit_code = self._follow_editor()
        self._is_ending = True
        link = self._link
        if link is not None:
            link.connection.close()
        return exit_code

    # From the editor

    def _follow_editor(self) -> int:
        splitter = FrameSplitter()
        while data := self._read_input():
            try:
                items = splitter.feed(data)
            except FrameError as error:
                self._to_editor(_error(None, PARSE_ERROR, str(error)))
                sys.stderr.write(f"error: the client does not speak the Language Server Protocol: {error}\n")
                return 1
            for item in items:
                if isinstance(item, Skipped):
                    text = f"a message of {item.n_body_bytes} bytes is too large and was not read"
                    self._to_editor(_error(None, INVALID_REQUEST, text))
                elif not self._from_editor(item):
                    return 0 if self._memory.is_shutting_down else 1
        return 0  # the editor is gone, which is no fault of ours

    def _read_input(self) -> bytes:
        if self._waits_for_input():
            with self._lock:
                self._memory.fold(only_must=False)
        return os.read(self._input_fd, RECEIVE_BYTES)

    def _waits_for_input(self) -> bool:
        """Say whether the editor has been silent long enough to tidy up."""
        if sys.platform == "win32":
            return False  # select takes sockets only; there the logs are folded when they must be
        import select

        return not select.select([self._input_fd], [], [], IDLE_FOLD_S)[0]

    def _from_editor(self, body: bytes) -> bool:
        """Send one message on; False after `exit`."""
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            self._to_editor(_error(None, PARSE_ERROR, "a message is not JSON"))
            return True
        if not isinstance(message, dict):
            self._to_editor(_error(None, INVALID_REQUEST, "a message is not an object"))
            return True
        with self._lock:
            link = self._link
            if link is None:
                self._hold(body)
                # The editor is read no further while too much waits: nothing is dropped, memory is bounded.
                self._lock.wait_for(lambda: self._n_held_bytes <= HELD_BYTES_MAX)
            elif not self._note(message, body):
                return True
        if link is not None:
            _send(link, body)
        return message.get("method") != "exit"

    def _note(self, message: Message, body: bytes) -> bool:
        """Take the message into memory; False if it is not for this daemon."""
        if "method" not in message:
            request_id = message.get("id")
            if request_id == UNREGISTER_ID or request_id not in self._memory.asked:
                return False  # an answer to us, or to a daemon that is gone
        self._memory.note_from_editor(message, body)
        self._memory.fold(only_must=True)
        return True

    def _hold(self, body: bytes) -> None:
        self._held.append(body)
        self._n_held_bytes += len(body)

    # From the daemon

    def _follow_daemon(self, joined: Joined) -> None:
        """Read one daemon after the other until the session ends."""
        current: Joined | None = joined
        while current is not None:
            farewell = self._read_from(current)
            current.connection.close()
            with self._lock:
                self._link = self._joining = None
                answers = self._memory.answers_for_lost()
            for answer in answers:
                self._to_editor(json.dumps(answer).encode())
            if self._is_ending or self._memory.is_shutting_down:
                return
            if farewell == "stop":
                self._end("the fimble daemon was stopped", 0)
            current = self._revive(is_planned=farewell == "restart")

    def _read_from(self, joined: Joined) -> str:
        """Pass messages on until the daemon is gone; gives its reason if it said one."""
        for body in joined.early:
            self._from_daemon(body)
        while True:
            try:
                data = joined.connection.recv(RECEIVE_BYTES)
                items = joined.splitter.feed(data)
            except (OSError, FrameError):
                return ""
            if not data:
                return ""
            for item in items:
                if isinstance(item, bytes) and (farewell := self._from_daemon(item)):
                    return farewell

    def _from_daemon(self, body: bytes) -> str:
        message = json.loads(body)
        if message.get("method") == greeting.GOODBYE:
            return str(message["params"]["reason"])
        if "method" not in message and message.get("id") == REPLAY_ID:
            return ""
        with self._lock:
            self._memory.note_from_daemon(message)
        self._to_editor(body)
        return ""

    # When the daemon is gone

    def _revive(self, *, is_planned: bool) -> Joined:
        """Join the next daemon; ends the process when that is hopeless."""
        if not is_planned and not self._revival.note_crash():
            self._end("the fimble daemon ended three times within a minute; `fimble daemon logs` shows why", 1)
        if not is_planned and self._revival.is_first:
            self._show(WARNING, "The fimble daemon ended unexpectedly. It is restarted with your open documents.")
        self._revival.wait(is_planned=is_planned)
        try:
            joined = self._starter.join(greeting.SESSION, **self._words)
        except DaemonError as error:
            self._end(f"{error.message}; {error.hint}" if error.hint else error.message, 1)
        with self._lock:
            self._joining = joined
            bodies = self._memory.replay()
        # Apart from the reading: a daemon that answers much while we send would otherwise wait for us for ever.
        threading.Thread(target=self._catch_up, args=(joined, bodies), name="fimble-replay", daemon=True).start()
        return joined

    def _catch_up(self, joined: Joined, bodies: list[bytes]) -> None:
        """Bring a fresh daemon to this session's state, then open the way for the editor."""
        while True:
            for body in bodies:
                _send(joined, body)
            bodies = self._next_held(joined)
            if not bodies:
                return

    def _next_held(self, joined: Joined) -> list[bytes]:
        """Give what the editor sent meanwhile, or open the way if that was all."""
        with self._lock:
            if self._joining is not joined:
                return []  # it is gone again; its successor is sent what is in memory and in `_held`
            batch = [body for body in self._held if self._note(json.loads(body), body)]
            self._held.clear()
            self._n_held_bytes = 0
            if not batch:
                self._link, self._joining = joined, None
            self._lock.notify_all()
        return batch

    def _end(self, reason: str, exit_code: int) -> NoReturn:
        """End this process from the reading thread: the other one may wait on the editor for ever."""
        self._show(ERROR, reason[:1].upper() + reason[1:])
        sys.stderr.write(f"error: {reason}\n")
        sys.stderr.flush()
        os._exit(exit_code)

    def _show(self, kind: int, text: str) -> None:
        if self._memory.is_answered:
            params = {"type": kind, "message": text}
            self._to_editor(json.dumps({"jsonrpc": "2.0", "method": "window/showMessage", "params": params}).encode())

    def _to_editor(self, body: bytes) -> None:
        data = memoryview(frame(body))
        with self._output_lock:
            try:
                while data:
                    data = data[os.write(self._output_fd, data) :]
            except OSError:
                # The editor reads no more; the other thread may wait for its input for ever.
                os._exit(0)


def attach(options: Sequence[tuple[str, Any]], make_starter: Callable[[], Starter]) -> int:
    """Serve this process's stdio from the user's daemon.

    `options` are this session's own settings, over those of the user's file.
    Errors: DaemonError if no daemon can be joined; nothing of stdin has been read then.
    """
    starter = make_starter()
    words = {"options": [list(option) for option in options], "directory": os.getcwd()}  # noqa: PTH109
    joined = starter.join(greeting.SESSION, **words)
    return Shim(starter, words).run(joined)


def _send(joined: Joined, body: bytes) -> None:
    try:
        joined.connection.sendall(frame(body))
    except OSError:
        # The reading thread sees the same end and starts over from memory.
        return


def _error(request_id: Any, code: int, text: str) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": text}}).encode()
