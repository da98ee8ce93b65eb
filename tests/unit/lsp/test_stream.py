"""Framing: what is a message, what is refused, and what ends a session."""

import asyncio
import json
import os

import pytest

from fimble.lsp.stream import BODY_BYTES_MAX, HEADER_BYTES_MAX, FileWriter, StreamError, pump, read_in_thread


class Recorder:
    def __init__(self):
        self.received, self.refused = [], []

    def receive(self, message):
        self.received.append(message["method"])

    def refuse(self, code, reason, request_id=None):
        self.refused.append((code, request_id))


async def pumped(data, n_messages_max=99):
    reader = asyncio.StreamReader(limit=HEADER_BYTES_MAX)
    reader.feed_data(data)
    reader.feed_eof()
    recorder = Recorder()
    await pump(reader, recorder, lambda: len(recorder.received) >= n_messages_max)
    return recorder


def framed(method="m", header="Content-Length"):
    body = json.dumps({"jsonrpc": "2.0", "method": method}).encode()
    return f"{header}: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("header", ["Content-Length", "content-length", "Content-Length "])
async def test_header_name_in_any_case(header):
    assert (await pumped(framed(header=header))).received == ["m"]


async def test_other_headers_are_passed_over_in_any_order():
    body = framed().split(b"\r\n\r\n")[1]
    length = b"Content-Length: %d\r\n" % len(body)
    kind = b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n"
    data = kind + length + b"\r\n" + body + length + kind + b"\r\n" + body
    assert (await pumped(data)).received == ["m", "m"]


async def test_length_counts_bytes():
    body = json.dumps({"jsonrpc": "2.0", "method": "é😀"}, ensure_ascii=False).encode()
    data = b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    assert (await pumped(data + framed())).received == ["é😀", "m"]


async def test_bad_body_is_refused_and_the_next_is_read():
    recorder = await pumped(b"Content-Length: 3\r\n\r\n{x}" + framed())
    assert recorder.refused == [(-32700, None)]
    assert recorder.received == ["m"]


async def test_refusal_carries_the_id_if_there_is_one():
    body = b'{"id": 7, "method": "m"}'
    recorder = await pumped(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    assert recorder.refused == [(-32600, 7)]


@pytest.mark.parametrize("cut", [5, 25, -3])
async def test_end_in_the_middle_of_a_message_is_an_end(cut):
    assert (await pumped(framed()[:cut])).received == []


async def test_nothing_is_read_after_the_session_is_done():
    assert (await pumped(framed("first") + framed("second"), n_messages_max=1)).received == ["first"]


@pytest.mark.parametrize(
    "data",
    [
        b"x" * (2 * HEADER_BYTES_MAX),
        b"x: y\r\n" * HEADER_BYTES_MAX,
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: many\r\n\r\n",
        b"Content-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1),
    ],
)
async def test_what_cannot_be_followed_ends_the_session(data):
    with pytest.raises(StreamError):
        await pumped(data)


def test_writer_stops_when_the_reader_is_gone():
    class Gone:
        n_writes = 0

        def write(self, data):
            self.n_writes += 1
            raise BrokenPipeError

        def flush(self):
            raise AssertionError("nothing was written")

    target, told = Gone(), []
    writer = FileWriter(target, lambda: told.append(True))
    writer.write(b"one")
    writer.write(b"two")
    assert (target.n_writes, told) == (1, [True])


async def test_a_pipe_is_read_to_its_end():
    read_fd, write_fd = os.pipe()
    with os.fdopen(read_fd, "rb", buffering=0) as source:
        reader = read_in_thread(source, asyncio.get_running_loop())
        os.write(write_fd, framed("a")[:-1])
        os.write(write_fd, framed("a")[-1:] + framed("b"))
        os.close(write_fd)
        recorder = Recorder()
        await pump(reader, recorder, lambda: False)
    assert recorder.received == ["a", "b"]


async def test_a_regular_file_is_read_to_its_end(tmp_path):
    path = tmp_path / "session"
    path.write_bytes(framed("a") + framed("b"))
    with path.open("rb", buffering=0) as source:
        recorder = Recorder()
        await pump(read_in_thread(source, asyncio.get_running_loop()), recorder, lambda: False)
    assert recorder.received == ["a", "b"]
