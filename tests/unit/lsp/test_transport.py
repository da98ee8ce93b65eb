"""Addresses that `--tcp` takes."""

import pytest

from fimble.errors import UsageError
from fimble.lsp.protocol import _indentation
from fimble.lsp.transport import parse_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9257", ("127.0.0.1", 9257)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:80", ("::1", 80)),
        (":9257", ("127.0.0.1", 9257)),
        ("9257", ("127.0.0.1", 9257)),
    ],
)
def test_loopback_addresses(text, expected):
    assert parse_address(text, allow_remote=False) == expected


@pytest.mark.parametrize("text", ["", "host", "127.0.0.1:", "127.0.0.1:port", "127.0.0.1:70000", "127.0.0.1:-1"])
def test_what_is_no_address(text):
    with pytest.raises(UsageError, match="HOST:PORT"):
        parse_address(text, allow_remote=True)


@pytest.mark.parametrize("text", ["0.0.0.0:80", "192.168.1.2:80", "example.invalid:80", "[::]:80"])
def test_remote_needs_to_be_allowed(text):
    with pytest.raises(UsageError) as caught:
        parse_address(text, allow_remote=False)
    assert "--allow-remote" in caught.value.hint
    assert parse_address(text, allow_remote=True)[1] == 80


@pytest.mark.parametrize(
    ("formatting", "expected"),
    [
        ({"tabSize": 2, "insertSpaces": True}, ("  ", 2)),
        ({"tabSize": 8, "insertSpaces": False}, ("\t", 8)),
        ({"tabSize": 0}, (None, None)),
        ({"tabSize": "4"}, (None, None)),
        ({"tabSize": True}, (None, None)),
        ({}, (None, None)),
        (None, (None, None)),
        ([1], (None, None)),
    ],
)
def test_indentation_that_an_editor_sends(formatting, expected):
    assert _indentation(formatting) == expected
