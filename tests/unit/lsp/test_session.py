"""What a session does for requests, cancellations, changed settings and its end."""

import asyncio
import logging
import threading

import pytest

from fimble.engine.contract import EngineState
from fimble.errors import ModelNotInstalledError
from fimble.lsp import server as server_module
from fimble.records import DeclineReason, Trigger


@pytest.fixture
def logged():
    """Every record of the program's logger, as text."""
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())

    logger, keep = logging.getLogger("fimble"), Keep()
    logger.addHandler(keep)
    yield lines
    logger.removeHandler(keep)


async def test_request_means_the_document_at_its_arrival(session):
    await session.initialize()
    session.open("first")
    change = {"textDocument": {"uri": "file:///a.py", "version": 2}, "contentChanges": [{"text": "second"}]}
    session.send(session.ghost(2, 0, 5), {"method": "textDocument/didChange", "params": change})
    await session.answer(2)
    (request,) = session.app.completion.requests
    assert (request.document.text, request.document.version, request.offset) == ("first", 1, 5)


async def test_indentation_sent_along_reaches_the_service(session):
    await session.initialize()
    session.open("x")
    session.send(session.ghost(2, formattingOptions={"tabSize": 2, "insertSpaces": True}), session.ghost(3))
    await session.answer(3)
    requests = session.app.completion.requests
    assert [(r.indent_unit, r.tab_width_columns) for r in requests] == [("  ", 2), (None, None)]


@pytest.mark.parametrize(("kind", "trigger", "n_alternatives"), [(1, Trigger.INVOKED, 4), (2, Trigger.AUTOMATIC, 1)])
async def test_alternatives_are_asked_for_only_when_invoked(session, kind, trigger, n_alternatives):
    await session.initialize(n_alternatives=4)
    session.open("x")
    session.send(session.ghost(2, context={"triggerKind": kind}))
    await session.answer(2)
    (request,) = session.app.completion.requests
    assert (request.trigger, request.n_alternatives) == (trigger, n_alternatives)


async def test_selected_item_reaches_the_service_as_offsets(session):
    await session.initialize()
    session.open("é\nab")
    place = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 2}}
    context = {"triggerKind": 2, "selectedCompletionInfo": {"range": place, "text": "abc"}}
    session.send(session.ghost(2, 1, 2, context=context))
    await session.answer(2)
    selected = session.app.completion.requests[0].selected
    assert (selected.text, selected.start_offset, selected.end_offset) == ("abc", 2, 4)


async def test_cancel_request_sets_the_token(session):
    await session.initialize()
    session.open("x")
    session.app.completion.gate = asyncio.Event()
    session.send(session.ghost(2))
    await session.ask(3, "fimble/status", {})
    (token,) = session.app.completion.tokens
    assert not token.cancelled
    session.notify("$/cancelRequest", {"id": 2})
    assert (await session.answer(2))["error"]["code"] == -32800
    assert token.reason is DeclineReason.CANCELLED


async def test_shutdown_sets_the_tokens_of_running_requests(session):
    await session.initialize()
    session.open("x")
    session.app.completion.gate = asyncio.Event()
    session.send(session.ghost(2))
    await session.ask(3, "fimble/status", {})
    await session.ask(4, "shutdown", None)
    session.notify("exit", None)
    assert await session.running == 0
    assert session.app.completion.tokens[0].cancelled
    assert session.app.is_closed


async def test_failing_service_is_an_empty_answer_and_no_text_is_logged(session, logged):
    await session.initialize()
    session.open("password = 'hunter2'")
    session.app.completion.error = ValueError("cannot read password = 'hunter2'")
    session.send(session.ghost(2))
    assert (await session.answer(2))["result"] == {"items": []}
    explained = await session.ask(3, "workspace/executeCommand", {"command": "fimble.explain"})
    assert explained["result"]["trace"]["reason"] == "engine-failed"
    assert any("ValueError" in line for line in logged)
    assert not any("hunter2" in line for line in logged)


async def test_message_that_cannot_be_read_is_not_logged(session, logged):
    await session.initialize()
    bad = {"textDocument": {"uri": "file:///a.py", "languageId": "python", "text": "password = 'hunter2'"}}
    session.notify("textDocument/didOpen", bad)
    session.send(session.ghost(2))
    await session.answer(2)
    assert any("didOpen" in line for line in logged)
    assert not any("hunter2" in line for line in logged)


async def test_closed_documents_are_forgotten_by_the_service(session):
    await session.initialize()
    session.open("x")
    session.notify("textDocument/didClose", {"textDocument": {"uri": "file:///a.py"}})
    cells = [{"uri": "cell:1"}, {"uri": "cell:2"}]
    session.notify("notebookDocument/didClose", {"notebookDocument": {"uri": "nb:1"}, "cellTextDocuments": cells})
    await session.ask(2, "fimble/status", {})
    assert session.app.completion.forgotten == ["file:///a.py", "cell:1", "cell:2"]


async def test_accepted_command_reaches_the_service(session):
    await session.initialize()
    session.open("x")
    session.send(session.ghost(2))
    (item,) = (await session.answer(2))["result"]["items"]
    await session.ask(3, "workspace/executeCommand", item["command"])
    assert session.app.completion.taken == ["c1"]


async def test_unknown_command_is_an_error(session):
    await session.initialize()
    answer = await session.ask(2, "workspace/executeCommand", {"command": "fimble.nothing"})
    assert answer["error"]["code"] == -32602


async def test_another_model_is_started_and_watched(session):
    await session.initialize()
    first = session.app.engine
    first.become(EngineState.READY)
    session.notify("workspace/didChangeConfiguration", {"settings": {"fimble": {"model": "other"}}})
    for number in (21, 22, 23):
        await session.ask(number, "fimble/status", {})
    second = session.app.engine
    assert second is not first
    assert session.app.n_starts == 2
    session.notifications.clear()
    first.become(EngineState.CLOSED)
    second.become(EngineState.MISSING, ModelNotInstalledError("other"))
    await session.ask(3, "fimble/status", {})
    await session.ask(4, "fimble/status", {})
    changes = [m["params"]["state"] for m in session.notifications if m.get("method") == "fimble/statusChanged"]
    assert changes == ["missing"], "the engine that was left says nothing any more"
    session.notify("workspace/didChangeConfiguration", {"settings": {"fimble": {"model": "other", "delay_ms": 1}}})
    for number in (31, 32, 33):
        await session.ask(number, "fimble/status", {})
    shown = [m["params"]["message"] for m in session.notifications if m.get("method") == "window/showMessage"]
    assert len(shown) == 1, "what is missing is said once, whatever else changes"


async def test_session_ends_though_the_engine_does_not(session, monkeypatch):
    monkeypatch.setattr(server_module, "CLOSE_MS", 20)
    await session.initialize()
    session.app.close_gate = threading.Event()
    session.notify("exit", None)
    assert await asyncio.wait_for(session.running, 20) == 1
    session.app.close_gate.set()


async def test_silent_client_does_not_hold_the_model_back(session, monkeypatch):
    """It declares that it can be asked for settings, and never answers."""
    from fimble.lsp import lifecycle

    monkeypatch.setattr(lifecycle, "PULL_MS", 20)
    await session.initialize({"workspace": {"configuration": True}})
    async with asyncio.timeout(20):
        number = 10
        while not session.app.n_starts:
            number += 1
            await session.ask(number, "fimble/status", {})
