"""What Copilot's clients tell of a suggestion is counted by the id in our own command."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fimble.completion.service import CompletionService
from fimble.lsp import editor_events
from fimble.settings import Settings


@pytest.fixture
def server():
    service = CompletionService(None, None, Settings())
    service._shown["c1"] = "file:///a.py"
    return SimpleNamespace(app=SimpleNamespace(completion=service))


def item(completion_id="c1", command="fimble.accepted"):
    return {"item": {"insertText": "x", "command": {"command": command, "arguments": [completion_id]}}}


def counts(server):
    return server.app.completion.metrics.counts()


def test_shown_and_partly_accepted_are_counted(server):
    editor_events.did_show(server, item())
    editor_events.did_accept_part(server, item() | {"acceptedLength": 3})
    editor_events.did_focus(server, {"textDocument": {"uri": "file:///a.py"}})
    assert counts(server) == {"completion.displayed": 1, "completion.partly_accepted": 1}


def test_objects_of_the_protocol_library_are_read_as_well(server):
    command = SimpleNamespace(command="fimble.accepted", arguments=("c1",))
    editor_events.did_show(server, SimpleNamespace(item=SimpleNamespace(command=command)))
    assert counts(server) == {"completion.displayed": 1}


@pytest.mark.parametrize(
    "params", [None, {}, {"item": None}, {"item": {"command": None}}, item("unknown"), item(command="other"), item(7)]
)
def test_what_is_not_ours_is_not_counted(server, params):
    editor_events.did_show(server, params)
    assert counts(server) == {}
