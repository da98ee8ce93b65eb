"""Ghost text, as both clients ask for it."""


async def test_suggestion_at_the_cursor(start, script):
    script("a + b")
    editor = await (await start()).until_ready()
    editor.open("def add(a, b):\n    return \n")
    (item,) = await editor.ghost(1, 11)
    assert item.insert_text == "a + b"
    assert (item.range.start.line, item.range.start.character) == (1, 11)
    assert item.range.end == item.range.start
    assert item.command.command == "fimble.accepted"
    assert item.command.arguments
