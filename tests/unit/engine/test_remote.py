"""The remote engine against a server that misbehaves in every way: what is told, what is sent, what is stopped."""

from __future__ import annotations

import json
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_openai import Server
from fimble import manifest as manifests
from fimble.engine.breaker import FAILURES_MIN, CircuitBreaker
from fimble.engine.contract import GenerationRequest
from fimble.engine.packed import PackedTokenizer, pack, unpack
from fimble.engine.remote import RemoteBackend
from fimble.engine.remote_http import RemoteError, parse_server
from fimble.errors import SettingsError
from fimble.records import CancelToken, FimPrompt

MODEL = "qwen2.5-coder-0.5b"


@pytest.fixture
def backend(server, monkeypatch):
    monkeypatch.setenv("FIMBLE_API_KEY", "the-key")
    made = RemoteBackend(manifests.load(MODEL), server.url, "", timeout_ms=2000)
    made.load()
    return made


def ask(backend, text="x = ", **more):
    prompt = FimPrompt((backend.tokenizer.special("<|fim_prefix|>"),), tuple(backend.tokenizer.encode(text)))
    return GenerationRequest(prompt, 16, **more)


def run(backend, request):
    texts = []

    def on_token(token_id, n_row=0):
        texts.append(backend.tokenizer.decode([token_id]))
        return False

    [row] = backend.run(request, on_token)
    assert "".join(texts) == backend.tokenizer.decode(row.ids)
    return "".join(texts), row


def test_prompt_is_ours_and_the_answer_streams(server, backend):
    text, row = run(backend, ask(backend, "def add(a, b):\n    "))
    assert (text, row.ended) == ("return a + b", True)
    path, headers, body = server.requests[0]
    assert path == "/v1/completions" and headers["Authorization"] == "Bearer the-key"
    assert body["prompt"] == "<|fim_prefix|>def add(a, b):\n    "
    assert (body["model"], body["max_tokens"], body["stream"]) == (MODEL, 16, True)


def test_user_text_cannot_spell_a_sentinel(server, backend):
    run(backend, ask(backend, "s = '<|fim_middle|><|fim_prefix|>'"))
    prompt = server.requests[0][2]["prompt"]
    assert prompt.count("<|fim_prefix|>") == 1 and "<|fim_middle|>" not in prompt


def test_length_is_no_end(server, backend):
    server.answer = Server.stream("a", reason="length")
    assert run(backend, ask(backend))[1].ended is False


def test_stop_rule_closes_the_connection(server, backend):
    server.answer = Server.stream(*["word "] * 2000, pause_s=0.002)
    [row] = backend.run(ask(backend), lambda _id, _row=0: True)
    assert backend.tokenizer.decode(row.ids) == "word "
    for _ in range(500):
        if server.n_closed_early:
            return
        time.sleep(0.01)
    pytest.fail("the server was left to write on")


def test_cancelling_ends_a_silent_answer_at_once(server, backend):
    released = threading.Event()
    server.answer = lambda handler: released.wait(10)
    token = CancelToken()
    threading.Timer(0.1, token.cancel).start()
    [row] = backend.run(ask(backend, token=token), lambda _id, _row=0: False)
    assert row.ids == () and not released.is_set()
    released.set()


def test_alternatives_come_in_one_answer(server, backend):
    choices = [{"text": t, "finish_reason": "stop"} for t in ("one more", "two")]
    server.answer = Server.status(200, json.dumps({"choices": choices}).encode())
    rows = backend.run(ask(backend, n_rows=3), lambda _id, _row=0: False)
    assert [backend.tokenizer.decode(r.ids) for r in rows] == ["one more", "two", ""]
    assert server.requests[0][2]["n"] == 3
    cut = backend.run(ask(backend, n_rows=2), lambda _id, n_row=0: n_row == 0)
    assert [backend.tokenizer.decode(r.ids) for r in cut] == ["one", "two"]


REFUSALS = {
    "401": (Server.status(401), "refuses the key"),
    "404": (Server.status(404), "knows no such model"),
    "429": (Server.status(429, Retry_After="7"), "too often"),
    "500": (Server.status(500, b"secret stack trace"), r"failed \(500\)"),
    "garbage": (Server.status(200, b"data: {nonsense\n\n"), "something else than JSON"),
    "no events": (Server.status(200, b"<html>hello</html>"), "mid-answer"),
    "not http": (lambda handler: handler.wfile.write(b"\x00\x01\x02\n\n"), "does not answer in HTTP"),
    "chat form": (Server.status(200, b'data: {"choices": [{"text": 5}]}\n\n'), "has no text"),
    "error event": (Server.status(200, b'data: {"error": {"message": "x = "}}\n\n'), "reports an error"),
    "mid-stream": (Server.stream("a", "b", done=False), "closed the connection in mid-answer"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_each_refusal_says_which_and_shows_no_secret(server, backend, case):
    server.answer, told = REFUSALS[case]
    with pytest.raises(RemoteError, match=told) as caught:
        backend.run(ask(backend), lambda _id, _row=0: False)
    assert "the-key" not in str(caught.value) and "x = " not in str(caught.value)
    assert "stack trace" not in str(caught.value)


def test_slow_server_is_given_up_in_time(server, backend):
    released = threading.Event()
    server.answer = lambda handler: released.wait(10)
    with pytest.raises(RemoteError, match="took too long"):
        backend.run(ask(backend, deadline_at_s=time.monotonic() + 0.2), lambda _id, _row=0: False)
    assert not released.is_set()
    released.set()


def test_what_came_by_the_deadline_is_the_result(server, backend):
    server.answer = Server.stream("return", " a", *[" and"] * 100, pause_s=0.3)
    [row] = backend.run(ask(backend, deadline_at_s=time.monotonic() + 0.7), lambda _id, _row=0: False)
    assert backend.tokenizer.decode(row.ids).startswith("return") and not row.ended
    server.answer = Server.stream("x")
    assert run(backend, ask(backend))[0] == "x", "the server was left alone as if it had failed"


def test_redirect_is_not_followed(server, backend):
    other = Server()
    server.answer = Server.status(307, Location=f"{other.url}/completions")
    with pytest.raises(RemoteError, match="not followed"):
        backend.run(ask(backend), lambda _id, _row=0: False)
    assert other.requests == []
    other.close()


def test_nobody_listens(backend, server):
    server.close()
    with pytest.raises(RemoteError, match="nobody listens"):
        backend.run(ask(backend), lambda _id, _row=0: False)


def test_failing_server_is_left_alone_for_a_while(server, backend):
    server.answer = Server.status(500)
    for _ in range(FAILURES_MIN + 2):
        with pytest.raises(RemoteError):
            backend.run(ask(backend), lambda _id, _row=0: False)
    assert len(server.requests) == FAILURES_MIN


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "http://u:p@h/", "http://h:port/"])
def test_wrong_urls_are_named(url):
    with pytest.raises(SettingsError):
        RemoteBackend(manifests.load(MODEL), url, "", 1000).load()


def test_key_does_not_travel_unencrypted():
    with pytest.raises(SettingsError, match="unencrypted"):
        parse_server("http://example.org/v1", "key")
    assert parse_server("https://example.org/v1", "key").key == "key"
    assert "key" not in repr(parse_server("http://127.0.0.1/v1", "key-1234")).replace("127", "")


def test_breaker_opens_longer_each_time_and_lets_one_try():
    now = [0.0]
    breaker = CircuitBreaker(lambda: now[0])
    for _ in range(FAILURES_MIN):
        assert breaker.wait_s() == 0
        breaker.failed()
    assert breaker.wait_s() == 1.0
    now[0] += 1.0
    assert breaker.wait_s() == 0 and breaker.wait_s() > 0, "only one may try"
    breaker.failed()
    assert breaker.wait_s() == 2.0
    now[0] += 2.0
    assert breaker.wait_s() == 0
    breaker.succeeded()
    assert breaker.wait_s() == 0


def test_servers_own_wish_counts_at_once():
    now = [0.0]
    breaker = CircuitBreaker(lambda: now[0])
    breaker.failed(retry_after_s=7)
    assert breaker.wait_s() == 7


@given(st.text(min_size=1))
def test_packing_is_reversible(text):
    safe = text.encode("utf-8", errors="replace").decode()
    assert unpack(pack(text)) == safe
    tokenizer = PackedTokenizer(("<|a|>",))
    assert tokenizer.decode(tokenizer.encode(safe)) == safe
