"""The real models over LSP: a wish in Chinese and in English gives an addition that is right, in four languages."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol import types
from tree_sitter_language_pack import get_parser

from fimble.actions.outcome import apply_edits
from fimble.actions.place import Place
from fimble.actions.plan import Wish
from fimble.actions.syntax import parse
from fimble.actions.workspace import DiskWorkspace
from fimble.app import Application
from fimble.eval import function_judge
from fimble.records import CancelToken
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot

pytestmark = [pytest.mark.model, pytest.mark.timeout(1800)]

MODELS = ["qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"]
WISHES = {"zh": "实现一个计算两个数字之和的函数。", "en": "Implement a function that computes the sum of two numbers."}
HEADS = {"python": "# ", "typescript": "// ", "go": "package main\n\n// ", "rust": "// "}
CALLS = {
    "python": "def check(f):\n    assert f(2, 3) == 5 and f(-2, 2) == 0\n\ncheck({name})\n",
    "typescript": "require('assert').ok({name}(2, 3) === 5 && {name}(-2, 2) === 0);\n",
    "go": 'func main() {{ if {name}(2, 3) != 5 || {name}(-2, 2) != 0 {{ panic("wrong") }} }}\n',
    # Not every sum is of signed numbers there.
    "rust": "#[test]\nfn adds() {{ assert!({name}(2{dot}, 3{dot}) == 5{dot} && {name}(9{dot}, 0{dot}) == 9{dot}); }}\n",
}
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


def untyped(code):
    """Give TypeScript without its annotations: JavaScript that says the same, for a machine without a compiler."""
    found, nodes = [], [get_parser("typescript").parse(code.encode()).root_node]
    while nodes:
        node = nodes.pop()
        if node.type in ("type_annotation", "type_parameters"):
            found.append((node.start_byte, node.end_byte))
        else:
            nodes += node.children
    content = code.encode()
    for start, end in sorted(found, reverse=True):
        content = content[:start] + content[end:]
    return content.decode().replace("export ", "")


def what_is_wrong(text, new, language):
    """Give why `new` is not `text` with a right addition below it; empty if it is. Run where the language can be."""
    syntax = parse(new, language)
    if not new.startswith(text) or syntax.errors or len(syntax.definitions) != 1:
        return f"not one function below the comment:\n{new}"
    (function,) = syntax.definitions
    if len([p for p in function.parameters.split(",") if p.strip(" ()")]) != 2 or "+" not in new[len(text) :]:
        return f"not a function that adds two values:\n{new}"
    dot = ".0" if language == "rust" and "f64" in function.header else ""
    program, runs_as = (untyped(new), "javascript") if language == "typescript" else (new, language)
    if function_judge.missing(runs_as):
        return ""
    judged = function_judge.judge(runs_as, program, CALLS[language].format(name=function.name, dot=dot))
    return "" if judged.passed else f"{judged.failure}:\n{new}"


@pytest.mark.parametrize("natural", list(WISHES))
@pytest.mark.parametrize("model_id", MODELS)
async def test_comment_becomes_a_right_addition(real_editor, installed, model_id, natural):
    installed(model_id)
    editor = await real_editor(model_id)
    wrong = {}
    for language, head in HEADS.items():
        text = head + WISHES[natural] + "\n"
        uri = f"file:///project/sample.{language}"
        editor.open(uri, language, text)
        line = text.count("\n") - 1
        where = types.Range(types.Position(line, 3), types.Position(line, 3))
        edits = await editor.chosen("refactor.rewrite.fimble.function", uri, where)
        new = text + "".join(e.new_text for e in edits) if edits else text
        if any(e.range.start != e.range.end or e.range.start.line < line for e in edits or ()):
            wrong[language] = f"changes more than what stands below the comment: {edits}"
        elif problem := what_is_wrong(text, new, language):
            wrong[language] = problem
    assert not wrong, "\n\n".join(f"{language}: {problem}" for language, problem in wrong.items())


def test_judgement_of_additions_can_fail():
    text = "// Add.\n"
    right = "function add(a: number, b: number): number {\n  return a + b;\n}\n"
    assert what_is_wrong(text, text + right, "typescript") == ""
    assert what_is_wrong(text, text + right.replace("a + b", "a + b + 1"), "typescript")
    assert what_is_wrong("# Add.\n", "# Add.\ndef add(a, b):\n    return a + a\n", "python")
    assert what_is_wrong("// Add.\n", "// Add.\nfn add(a: f64, b: f64) -> f64 {\n    a + b\n}\n", "rust") == ""
    assert what_is_wrong("# Add.\n", "# Add.\ndef add(a):\n    return a + a\n", "python")


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
