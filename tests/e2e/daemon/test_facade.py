"""The daemon over HTTP, asked by the clients that people use: the openai package, curl, Prometheus' parser."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket

import openai
import pytest
from prometheus_client.parser import text_string_to_metric_families

LLAMA_VIM_FIELDS = ["content", "timings/prompt_n", "timings/predicted_n", "truncated", "tokens_cached"]


class Http:
    """A running facade."""

    def __init__(self, home, port: int, token: str) -> None:
        self.home, self.port, self.token = home, port, token
        self.url = f"http://127.0.0.1:{port}"

    @property
    def openai(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{self.url}/v1", api_key=self.token, max_retries=0)

    async def curl(self, path: str, body=None, *headers: str, token: str | None = "") -> tuple[int, str]:
        """Give status and body."""
        curl = shutil.which("curl")
        assert curl is not None, "curl is needed: the tests ask as its users do"
        arguments = ["-sS", "-m", "20", "-w", "\n%{http_code}"]
        for header in headers:
            arguments += ["-H", header]
        if token is not None:
            arguments += ["-H", f"Authorization: Bearer {token or self.token}"]
        if body is not None:
            text = body if isinstance(body, str) else json.dumps(body)
            arguments += ["-H", "Content-Type: application/json", "--data-binary", text]
        process = await asyncio.create_subprocess_exec(
            curl, *arguments, self.url + path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        text, _, status = out.decode().rpartition("\n")
        assert status, err
        return int(status), text


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
async def http(home):
    async def start(*answers) -> Http:
        home.script(*answers)
        port = free_port()
        config = home.directory / "config" / "fimble"
        config.mkdir(parents=True)
        (config / "config.toml").write_text(f'http_port = {port}\nengine = "scripted"\n')
        code, _out, err = await home.command("daemon", "start")
        assert code == 0, err
        [token_path] = await _until(lambda: list(home.directory.glob("*.http-token")))
        made = Http(home, port, token_path.read_text())
        assert token_path.stat().st_mode & 0o077 == 0
        await _until(lambda: _listens(port))
        return made

    return start


async def _until(condition):
    for _ in range(500):
        if found := condition():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come about")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_openai_package_completes_with_and_without_a_stream(http) -> None:
    server = await http({"text": "return a + b\nprint(1)", "when": "def add"})
    client = server.openai
    answer = await client.completions.create(
        model="any", prompt="def add(a, b):\n    ", suffix="\n\nadd(1, 2)\n", max_tokens=32, stop=["\n"]
    )
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("return a + b", "stop")
    assert answer.usage is not None and answer.usage.prompt_tokens > 10
    pieces = [
        chunk
        async for chunk in await client.completions.create(
            model="any", prompt="def add(a, b):\n    ", max_tokens=32, stream=True
        )
    ]
    assert "".join(chunk.choices[0].text for chunk in pieces) == "return a + b\nprint(1)"
    assert len(pieces) > 2 and pieces[-1].choices[0].finish_reason == "stop"
    several = await client.completions.create(model="any", prompt="def add", n=3, max_tokens=32)
    assert len(several.choices) == 3
    short = await client.completions.create(model="any", prompt="def add", max_tokens=1)
    assert short.choices[0].finish_reason == "length"
    assert [model.id for model in (await client.models.list()).data] == ["scripted"]


async def test_openai_package_chats(http) -> None:
    server = await http({"text": "Hello there", "when": "Say hello"})
    client = server.openai
    turns = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Say hello"}]
    answer = await client.chat.completions.create(model="any", messages=turns)
    assert answer.choices[0].message.content == "Hello there"
    stream = await client.chat.completions.create(
        model="any", messages=turns, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Hello there"
    assert chunks[-1].usage is not None and chunks[-1].usage.completion_tokens > 0


async def test_stop_words_do_not_leak_into_a_stream(http) -> None:
    server = await http({"text": "one <STOP> two"})
    stream = await server.openai.completions.create(model="m", prompt="x", stop="<STOP>", stream=True)
    texts = [chunk.choices[0].text async for chunk in stream]
    assert "".join(texts) == "one "


async def test_infill_as_llama_vim_asks(http) -> None:
    server = await http({"text": "return a + b", "when": "def add"})
    body = {
        "id_slot": 0,
        "input_prefix": "import os\ndef add(a, b):\n",
        "input_suffix": "\n\nadd(1, 2)\n",
        "input_extra": [{"text": "def sub(a, b): ...\n", "filename": "sub.py", "time": 1}],
        "prompt": "    ",
        "n_predict": 32,
        "stop": [],
        "n_indent": 4,
        "top_k": 40,
        "top_p": 0.9,
        "samplers": ["top_k", "top_p", "infill"],
        "stream": False,
        "cache_prompt": True,
        "t_max_prompt_ms": 500,
        "t_max_predict_ms": 1000,
        "response_fields": LLAMA_VIM_FIELDS,
    }
    status, text = await server.curl("/infill", body)
    answer = json.loads(text)
    assert status == 200 and answer["content"] == "return a + b"
    assert set(answer) == set(LLAMA_VIM_FIELDS) and answer["timings/predicted_n"] > 0
    status, text = await server.curl("/infill", {**body, "n_predict": 0, "response_fields": [""]})
    assert status == 200 and json.loads(text)["content"] == ""
    status, text = await server.curl("/infill", {"input_prefix": "def add", "input_suffix": ""})
    assert json.loads(text)["timings"]["prompt_n"] > 0


async def test_metrics_are_what_prometheus_reads(http) -> None:
    server = await http({"text": "x"})
    await server.openai.completions.create(model="m", prompt="x")
    status, text = await server.curl("/metrics")
    assert status == 200
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["fimble_http_generations"].samples[0].value == 1
    assert families["fimble_model_loaded"].samples[0].labels == {"model": "qwen2.5-coder-0.5b"}
    assert families["fimble_sessions"].samples[0].value == 0


REFUSED = {
    "no token": ({"token": None}, (), 401, "missing"),
    "wrong token": ({"token": "wrong"}, (), 401, "wrong"),
    "a page in a browser": ({}, ("Origin: https://example.org",), 403, "browser"),
    "an opaque page": ({}, ("Origin: null",), 403, "browser"),
    "another name for this machine": ({}, ("Host: evil.example",), 403, "not this machine"),
}


async def test_who_may_not_ask_is_refused(http) -> None:
    server = await http({"text": "x"})
    for name, (how, headers, expected, said) in REFUSED.items():
        status, text = await server.curl("/v1/completions", {"prompt": "x"}, *headers, **how)
        assert (status, said in text) == (expected, True), (name, status, text)
    assert await server.curl("/health", token=None) == (200, '{"status":"ok"}')
    status, _text = await server.curl("/health", None, "Origin: https://example.org", token=None)
    assert status == 403


WRONG = {
    "not JSON": ("{", "not JSON"),
    "a list": ("[]", "must be a JSON object"),
    "no prompt": ({}, "`prompt`"),
    "token ids": ({"prompt": [1, 2]}, "`prompt`"),
    "a temperature too high": ({"prompt": "x", "temperature": 9}, "`temperature`"),
    "tools": ({"prompt": "x", "tools": [{}]}, "`tools` is not supported"),
    "a word for a number": ({"prompt": "x", "max_tokens": "many"}, "`max_tokens`"),
    "a prompt too long": ({"prompt": "x" * 20_000}, "there is room for"),
}


async def test_wrong_bodies_are_named_and_too_large_ones_not_read(http) -> None:
    server = await http({"text": "x"})
    for name, (body, said) in WRONG.items():
        status, text = await server.curl("/v1/completions", body)
        assert status == 400 and said in json.loads(text)["error"]["message"], (name, status, text)
    status, text = await server.curl("/v1/chat/completions", {"messages": [{"role": "robot", "content": "x"}]})
    assert status == 400 and "`robot`" in text
    huge = server.home.directory / "huge"
    huge.write_bytes(b" " * 9_000_000)
    status, _text = await server.curl("/v1/completions", f"@{huge}")
    assert status == 413
    assert (await server.curl("/v1/completions", {"prompt": "x"}))[0] == 200


async def test_client_that_hangs_up_frees_the_model(http) -> None:
    server = await http({"text": "word " * 400, "token_ms": 20, "when": "endless"}, {"text": "short"})
    stream = await server.openai.completions.create(model="m", prompt="endless", max_tokens=1000, stream=True)
    async for _chunk in stream:
        break
    await stream.close()
    answer = await asyncio.wait_for(server.openai.completions.create(model="m", prompt="next"), 5)
    assert answer.choices[0].text == "short"


@pytest.fixture
def remote(http):
    """Start a facade with answers, and give it with the options of a fimble that asks it."""

    async def start(*answers) -> tuple[Http, tuple[str, ...]]:
        server = await http(*answers)
        server.home.environment["FIMBLE_API_KEY"] = server.token
        server.home.environment["FIMBLE_DATA_DIR"] = str(server.home.directory / "none")
        return server, ("--set", "engine=openai", "--set", f"remote_url={server.url}/v1")

    return start


async def test_remote_engine_on_the_facade_gives_editors_ghost_text(remote) -> None:
    server, options = await remote({"text": "return a + b", "when": "def add"})
    editor = await server.home.real("--no-share", *options)
    editor.open("def add(a, b):\n    ")
    assert await editor.ghost(1, 4) == "return a + b"
    assert server.token.encode() not in await _log_of(editor)


async def test_remote_engine_on_the_facade_runs_an_action(remote, tmp_path) -> None:
    server, options = await remote({"text": "    return a + b\n```\n", "when": "tests:\n\n```python\ndef add"})
    path = tmp_path / "a.py"
    path.write_text("def add(a, b):\n    pass\n")
    code, _out, err = await server.home.command("action", "function", str(path), "--range", "1:1", "--apply", *options)
    assert code == 0, err
    assert path.read_text() == "def add(a, b):\n    return a + b\n"
    assert server.token not in err


async def test_action_over_http_waits_behind_typing(http) -> None:
    server = await http({"text": "word " * 300, "token_ms": 20, "when": "long"}, {"text": "short"})
    client = server.openai
    long = asyncio.ensure_future(client.completions.create(model="m", prompt="long", max_tokens=600))
    while "fimble_http_generations_total 1" not in (await server.curl("/metrics"))[1]:
        assert not long.done()
    answer = await client.completions.create(model="m", prompt="next", max_tokens=64)
    assert answer.choices[0].text == "short" and not long.done()
    long.cancel()


async def test_remote_server_that_is_not_there_is_named_and_editing_goes_on(home) -> None:
    home.environment["FIMBLE_DATA_DIR"] = str(home.directory / "none")
    options = ("--set", "engine=openai", "--set", f"remote_url=http://127.0.0.1:{free_port()}/v1")
    editor = await home.real("--no-share", *options)
    editor.open("def add(a, b):\n    ")
    assert await editor.ghost(1, 4) is None
    explained = await editor.result("workspace/executeCommand", {"command": "fimble.explain", "arguments": []})
    assert explained["trace"]["reason"] == "engine-failed" and "nobody listens" in explained["trace"]["detail"]
    assert (await editor.result("fimble/documentDigest", {"uri": "file:///project/sample.py"}))["version"] == 1


async def _log_of(editor) -> bytes:
    await editor.leave()
    return await editor.process.stderr.read()
