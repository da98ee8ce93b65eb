"""Messages out of a byte stream, however it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fimble.daemon.framing import HEADER_BYTES_MAX, FrameError, FrameSplitter, Skipped, frame


@given(st.lists(st.binary(max_size=50), max_size=8), st.integers(1, 20))
def test_bodies_come_out_whole_however_the_stream_is_cut(bodies, n_step_bytes):
    stream = b"".join(frame(body) for body in bodies)
    splitter = FrameSplitter()
    found = []
    for start in range(0, len(stream), n_step_bytes):
        found += splitter.feed(stream[start : start + n_step_bytes])
    assert found == bodies


def test_too_large_a_body_is_skipped_and_the_next_one_read():
    splitter = FrameSplitter(body_bytes_max=4)
    assert splitter.feed(b"Content-Length: 10\r\n\r\n12345") == [Skipped(10)]
    assert splitter.feed(b"67890" + frame(b"next")) == [b"next"]


def test_other_headers_and_other_case_are_accepted():
    head = b"Content-Type: application/json\r\ncontent-length: 2\r\n\r\n"
    assert FrameSplitter().feed(head + b"{}") == [b"{}"]


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Length: many\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"x" * HEADER_BYTES_MAX,
        b"X-Content-Length: 3\r\n\r\n",
    ],
)
def test_what_is_no_header_is_an_error(data):
    with pytest.raises(FrameError):
        FrameSplitter().feed(data)
