"""The HTTP interfaces' gate, asked as no browser and no curl can: from other machines, in pieces, with odd headers."""

from __future__ import annotations

import pytest

from fimble.daemon.facade.guard import BODY_BYTES_MAX, Guard

TOKEN = "token"
GOOD = {"host": "127.0.0.1:8080", "authorization": f"Bearer {TOKEN}"}


async def ask(headers, client=("127.0.0.1", 5), method="POST", path="/v1/completions", body=(b"{}",), kind="http"):
    """Give the status and all that was sent; the application reads the whole body and answers 200."""
    sent, pieces = [], list(body)

    async def receive():
        more = len(pieces) > 1
        return {"type": "http.request", "body": pieces.pop(0) if pieces else b"", "more_body": more}

    async def app(scope, receive, send):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": kind, "method": method, "path": path, "headers": raw, "client": client}
    await Guard(app, TOKEN)(scope, receive, send)
    return (sent[0]["status"] if sent else None), sent


async def test_this_machine_with_the_token_is_let_in():
    for host in ("127.0.0.1:8080", "localhost:8080", "[::1]:8080", "localhost"):
        assert (await ask(GOOD | {"host": host}))[0] == 200


@pytest.mark.parametrize("client", [("192.168.1.7", 5), ("10.0.0.1", 5), ("::ffff:10.0.0.1", 5), None])
async def test_other_machines_are_refused_even_with_the_token(client):
    assert (await ask(GOOD, client=client))[0] == 403


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "GET"])
@pytest.mark.parametrize("origin", ["https://example.org", "http://127.0.0.1:8080", "null", ""])
async def test_pages_are_refused_and_get_no_permission(method, origin):
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    status, sent = await ask(GOOD | asked | {"origin": origin}, method=method)
    assert status == 403
    assert not [name for name, _value in sent[0]["headers"] if name.lower().startswith(b"access-control")]


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", "bearer token", "Bearer tokeN", "Basic token", "tökén"]
)
async def test_without_the_very_token_nobody_is_let_in(given):
    headers = {"host": GOOD["host"]} | ({"authorization": given} if given is not None else {})
    assert (await ask(headers))[0] == 401


@pytest.mark.parametrize("host", ["", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "0.0.0.0:8080"])
async def test_other_names_of_this_machine_are_refused(host):
    assert (await ask(GOOD | {"host": host}))[0] == 403


@pytest.mark.parametrize("length", [str(BODY_BYTES_MAX + 1), "-1", "many", "9" * 400, "9" * 5000, "²", ""])
async def test_length_that_cannot_be_meant_is_refused(length):
    assert (await ask(GOOD | {"content-length": length}))[0] == 413


async def test_body_without_end_is_cut_off():
    piece = bytes(1_000_000)
    assert (await ask(GOOD, body=[piece] * 7))[0] == 200
    assert (await ask(GOOD, body=[piece] * 20))[0] is None


async def test_other_protocols_are_not_spoken():
    assert (await ask(GOOD, kind="websocket"))[1] == []
