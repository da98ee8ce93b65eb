"""Messages that come together or are taken back: which document a request means, and which generation runs."""

SOURCE = "def add(a, b):\n    return \n"


async def answers(session, *request_ids):
    """Give the responses by id, in whatever order they come."""
    found = {}
    while set(found) != set(request_ids):
        message = await session.read()
        if "method" not in message:
            found[message["id"]] = message
    return found


async def started(wire, rpc, *, text=SOURCE, **options):
    session = await wire()
    await session.initialize(initializationOptions={"delay_ms": 0} | options)
    await session.until_ready()
    session.send(rpc.did_open(text))
    return session


async def test_request_before_an_edit_in_one_write_means_the_text_before_it(wire, rpc, script):
    """Read late, the request would find the typed text behind its place, and the engine would see it."""
    script({"text": "late", "when": "1 + "}, "1 + 2")
    session = await started(wire, rpc, text="x = \n")
    session.send(rpc.ghost(1, 0, 4), rpc.did_insert(2, 0, 4, "1 + "))
    (item,) = (await session.answer(1))["result"]["items"]
    assert item["insertText"] == "1 + 2"
    assert item["range"] == {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 8}}


async def test_answer_is_empty_if_the_document_changed_otherwise(wire, rpc, script):
    script("a + b")
    session = await started(wire, rpc)
    session.send(rpc.ghost(1, 1, 11), rpc.did_insert(2, 0, 0, "# "))
    assert (await session.answer(1))["result"]["items"] == []
    session.send(rpc.request(2, "workspace/executeCommand", {"command": "fimble.explain"}))
    assert (await session.answer(2))["result"]["trace"]["reason"] == "document-changed"


async def test_typed_through_while_the_answer_was_on_its_way(wire, rpc, script):
    script("a + b")
    session = await started(wire, rpc)
    session.send(rpc.ghost(1, 1, 11), rpc.did_insert(2, 1, 11, "a "))
    (item,) = (await session.answer(1))["result"]["items"]
    start, end = item["range"]["start"]["character"], item["range"]["end"]["character"]
    line = "    return a "
    assert line[:start] + item["insertText"] + line[end:] == "    return a + b"


async def test_burst_of_three_keystrokes_is_one_generation(wire, rpc, script):
    script({"text": "a + b", "times": 1}, "second generation")
    session = await started(wire, rpc, delay_ms=60)
    burst = []
    for number, char in enumerate("sum", start=1):
        burst.append(rpc.did_insert(number + 1, 1, 10 + number, char))
        burst.append(rpc.ghost(number, 1, 11 + number))
    session.send(*burst)
    found = await answers(session, 1, 2, 3)
    assert [found[n].get("error") for n in (1, 2, 3)] == [None, None, None]
    assert found[1]["result"]["items"] == found[2]["result"]["items"] == []
    assert [item["insertText"] for item in found[3]["result"]["items"]] == ["a + b"]


async def test_cancelled_request_is_answered_as_cancelled_and_frees_the_engine(wire, rpc, script):
    # Left alone, this generation would outlast the test.
    script({"text": " ".join(["word"] * 1000), "token_ms": 100, "when": "slow"}, "quick")
    session = await started(wire, rpc, text="slow = \n", line_tokens_max=1000, deadline_ms=60_000)
    session.send(rpc.did_open("x = \n", uri="file:///b.py"))
    session.send(rpc.ghost(1, 0, 7))
    for number in (11, 12, 13):
        session.send(rpc.request(number, "fimble/status", {}))
        await session.answer(number)
    session.send(rpc.notification("$/cancelRequest", {"id": 1}), rpc.ghost(2, 0, 4, uri="file:///b.py"))
    found = await answers(session, 1, 2)
    # LSP 3.18: RequestCancelled.
    assert found[1]["error"]["code"] == -32800
    assert [item["insertText"] for item in found[2]["result"]["items"]] == ["quick"]


async def test_indentation_that_the_editor_sends_along_is_tolerated(wire, rpc, script):
    script("a + b")
    session = await started(wire, rpc)
    extra = {
        "textDocument": {"uri": "file:///project/sample.py", "version": 1},
        "formattingOptions": {"tabSize": 2, "insertSpaces": True},
    }
    session.send(rpc.ghost(1, 1, 11, **extra))
    assert len((await session.answer(1))["result"]["items"]) == 1
