"""The real model through the action service: a wish in Chinese and in English gives an addition in four languages."""

from __future__ import annotations

import asyncio
import re
import sys

import pytest

from fimble.actions.outcome import apply_edits
from fimble.actions.place import Place
from fimble.actions.plan import Wish
from fimble.actions.syntax import parse
from fimble.actions.workspace import DiskWorkspace
from fimble.app import Application
from fimble.records import CancelToken
from fimble.sandbox.process import run
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot

pytestmark = [pytest.mark.model, pytest.mark.timeout(1800)]

WISHES = {"zh": "实现一个计算两个数字之和的函数。", "en": "Implement a function that computes the sum of two numbers."}
HEADS = {"python": "# ", "typescript": "// ", "go": "package stats\n\n// ", "rust": "// "}
MEAN = """\
def mean(values):
    total = 0
    for value in values:
        total = total + value
    return total / len(values)
"""


async def act(name, text, offset, language, instruction=""):
    app = Application(Settings(model="qwen2.5-coder-0.5b", action_deadline_ms=300_000))
    document = DocumentSnapshot("file:///project/sample", language, 1, text)
    app.start()
    try:
        await app.engine.wait_ready()
        place = Place(document, offset, offset)
        return await app.actions.run(name, place, Wish(DiskWorkspace(), instruction), CancelToken(), lambda: document)
    finally:
        await asyncio.to_thread(app.close)


@pytest.mark.parametrize("language", list(HEADS))
@pytest.mark.parametrize("natural", list(WISHES))
async def test_comment_becomes_an_addition(language, natural):
    text = HEADS[language] + WISHES[natural] + "\n"
    result = await act("function", text, len(HEADS[language]), language)
    assert result.refusal is None, result.message
    new = apply_edits(text, result.edits)
    assert new.startswith(text)
    syntax = parse(new, language)
    (function,) = syntax.definitions
    assert not syntax.errors
    assert re.search(r"\b(\w+) \+ (\w+)\b", new[function.body.start_offset : function.body.end_offset])
    if language == "python":
        program = f"{new}\nassert {function.name}(2, 3) == 5\n"
        assert run([sys.executable, "-I", "a.py"], {"a.py": program}).passed


@pytest.mark.parametrize("name", ["document", "optimise", "simplify", "edit"])
async def test_action_leaves_a_file_that_parses_and_the_rest_alone(name):
    tail = "\n\ndef after():\n    return '数'\n"
    result = await act(name, MEAN + tail, MEAN.index("total"), "python", "return 0 when there are no values")
    if result.refusal is not None:
        # A refusal is right where the model is not; then nothing may be changed.
        assert not result.edits and result.raw_text
        return
    new = apply_edits(MEAN + tail, result.edits)
    assert not parse(new, "python").errors
    assert new.endswith(tail) and "def mean(values):" in new and new != MEAN + tail
