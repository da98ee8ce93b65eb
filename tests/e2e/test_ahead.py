"""What is decoded outlives its request, as seen over the protocol: cancelled for a key, accepted, typed on from."""

from __future__ import annotations


def typing(rpc, version, line, character, text):
    return rpc.did_insert(version, line, character, text)


async def begin(wire, rpc, text, **options):
    session = await wire()
    await session.initialize(initializationOptions={"delay_ms": 0} | options)
    await session.until_ready()
    session.send(rpc.did_open(text))
    return session


async def test_key_that_agrees_goes_on_with_the_cancelled_generation(wire, script, rpc):
    script({"text": "first + second\n", "prefill_ms": 600, "token_ms": 10, "times": 1})
    session = await begin(wire, rpc, "total = \n", prefetch=False)
    session.send(rpc.ghost(1, 0, 8))
    for number in range(10, 40):
        session.send(rpc.request(number, "fimble/status", {}))
        await session.answer(number)
    # As editors do it: the change, then the cancellation, then the new question.
    session.send(typing(rpc, 2, 0, 8, "f"), rpc.notification("$/cancelRequest", {"id": 1}), rpc.ghost(2, 0, 9))
    [item] = (await session.answer(2))["result"]["items"]
    # Another generation would have begun with the word's first letter, or had no answer to give.
    assert item["insertText"] == "irst + second"


async def test_next_line_is_there_once_the_first_one_is_taken(wire, script, rpc):
    script({"text": "a + b\n    return total\n\nmore", "token_ms": 10, "times": 1})
    session = await begin(wire, rpc, "def f(a, b):\n    total = \n")
    session.send(rpc.ghost(1, 1, 12))
    [item] = (await session.answer(1))["result"]["items"]
    assert item["insertText"] == "a + b"
    session.send(typing(rpc, 2, 1, 12, "a + b"), rpc.ghost(2, 1, 17))
    [item] = (await session.answer(2))["result"]["items"]
    assert item["insertText"] == "\n    return total"
    session.send(typing(rpc, 3, 1, 17, "\n    "), rpc.ghost(3, 2, 4))
    [item] = (await session.answer(3))["result"]["items"]
    assert item["insertText"] == "return total"


async def test_part_comes_at_the_target_and_the_rest_behind_it(wire, script, rpc):
    script({"text": "alpha + beta + gamma + delta\n", "token_ms": 120, "times": 1})
    session = await begin(wire, rpc, "total = \n", target_ms=200, show_parts=True, prefetch=False)
    session.send(rpc.ghost(1, 0, 8))
    [item] = (await session.answer(1))["result"]["items"]
    shown = item["insertText"]
    assert shown
    assert "alpha + beta + gamma + delta".startswith(shown)
    if shown.endswith("delta"):
        return  # a machine so slow that all of it was there
    session.send(typing(rpc, 2, 0, 8, shown), rpc.ghost(2, 0, 8 + len(shown)))
    [item] = (await session.answer(2))["result"]["items"]
    assert "alpha + beta + gamma + delta".startswith(shown + item["insertText"])


async def test_server_ends_while_a_line_is_held(wire, script, rpc):
    script({"text": "a + b\n    return total\n", "times": 1})
    session = await begin(wire, rpc, "def f(a, b):\n    total = \n")
    session.send(rpc.ghost(1, 1, 12))
    assert (await session.answer(1))["result"]["items"]
    session.send(rpc.request(2, "shutdown", None))
    assert (await session.answer(2))["result"] is None
    session.send(rpc.notification("exit", None))
    assert await session.ended() == 0
