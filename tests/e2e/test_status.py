"""What an editor is told of the model, of the last request and of what was accepted."""

import sys

import pytest
from lsprotocol import types

SOURCE = "def add(a, b):\n    return \n"


async def test_loading_is_shown_from_begin_to_end(start, script):
    script("a + b", load_ms=200)
    editor = await (await start()).until_ready()
    (reports,) = await editor.until(lambda: [r for r in editor.client.progress_reports.values() if len(r) == 2])
    assert isinstance(reports[0], types.WorkDoneProgressBegin)
    assert isinstance(reports[1], types.WorkDoneProgressEnd)
    await editor.until(lambda: [s["state"] for s in editor.statuses][-1:] == ["ready"])
    assert "loading" in [s["state"] for s in editor.statuses]


async def test_status_says_what_the_model_did(start, script):
    script("a + b")
    editor = await (await start()).until_ready()
    assert (await editor.status())["usage"]["n_decoded_tokens"] == 0
    editor.open(SOURCE)
    await editor.ghost(1, 11)
    usage = (await editor.status())["usage"]
    assert usage["n_generations"] == 1
    assert usage["n_decoded_tokens"] == len("a + b")
    assert usage["n_prefilled_tokens"] > 0


@pytest.mark.parametrize("capabilities", ["visual_studio_code"], indirect=True)
class TestOneClient:
    async def test_no_progress_for_a_client_without_it(self, start, script, capabilities):
        script("a + b", load_ms=200)
        capabilities.window.work_done_progress = False
        editor = await (await start(declared=capabilities)).until_ready()
        assert editor.client.progress_reports == {}

    async def test_missing_model_is_said_once_with_the_way_out(self, start):
        argv = [sys.executable, "-m", "fimble", "serve", "--model", "qwen2.5-coder-0.5b"]
        editor = await start(argv=argv)
        await editor.until(lambda: [s["state"] for s in editor.statuses][-1:] == ["missing"])
        status = await editor.status()
        assert status["state"] == "missing"
        assert status["hint"] == "run `fimble models pull qwen2.5-coder-0.5b`"
        editor.open(SOURCE)
        assert await editor.ghost(1, 11) == []
        assert await editor.reason() == "model-not-installed"
        assert await editor.ghost(1, 11) == []
        (message,) = editor.client.messages
        assert "fimble models pull" in message.message

    async def test_status_by_request_and_by_command(self, start, script):
        editor = await (await start()).until_ready()
        status = await editor.status()
        assert set(status) >= {"state", "message", "hint", "model", "progress"}
        assert await editor.execute("fimble.status") == status

    async def test_explanation_of_what_was_shown(self, start, script):
        script("a + b")
        editor = await (await start()).until_ready()
        assert (await editor.execute("fimble.explain"))["trace"] is None
        editor.open(SOURCE)
        await editor.ghost(1, 11)
        explained = await editor.execute("fimble.explain")
        trace = explained["trace"]
        assert (trace["outcome"], trace["uri"]) == ("shown", "file:///project/sample.py")
        assert trace["n_decoded_tokens"] > 0
        assert trace["parts_ms"]
        assert "return" not in explained["text"], "document text stays out"
        assert f"decoded {trace['n_decoded_tokens']} tokens" in explained["text"]

    async def test_explanation_by_document(self, start, script):
        script("a + b")
        editor = await (await start()).until_ready()
        editor.open(SOURCE)
        await editor.ghost(1, 11)
        await editor.ghost(0, 0, uri="file:///never-opened.py")
        assert await editor.reason() == "document-not-open"
        assert await editor.reason("file:///never-opened.py") == "document-not-open"
        assert await editor.reason("file:///project/sample.py") == ""

    async def test_acceptance_of_something_unknown_is_ignored(self, start, script):
        editor = await (await start()).until_ready()
        for arguments in ([], [7], ["no-such-id"], [{"id": 1}, "more"]):
            assert await editor.execute("fimble.accepted", *arguments) is None
        assert (await editor.status())["state"] == "ready"
