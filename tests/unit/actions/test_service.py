"""From a request to a result: what is asked, what is refused, which candidate wins, what happens meanwhile."""

from __future__ import annotations

import dataclasses

import pytest

from fimble.actions.outcome import Edit
from fimble.actions.rebase import rebase
from fimble.app import SCRIPTED_MANIFEST
from fimble.errors import EngineError

STUB = 'def f(x):\n    """Twice x.\n\n    >>> f(2)\n    4\n    """║\n'
RIGHT = "    return x * 2\n```\n"
WRONG = "    return x + 1\n```\n"
BROKEN = "    return (x\n```\n"


async def test_first_answer_that_passes_is_taken_and_no_other_asked_for(act):
    ran = await act("function", STUB, RIGHT, n_candidates=4)
    assert ran.new.endswith("return x * 2\n") and len(ran.prompts) == 1


async def test_after_a_failed_answer_others_are_asked_for_in_one_batch(act):
    ran = await act("function", STUB, BROKEN, RIGHT, n_candidates=3)
    assert ran.new.endswith("return x * 2\n")
    assert (len(ran.prompts), ran.result.n_candidates) == (2, 3)


async def test_examples_decide_only_where_allowed(act):
    assert (await act("function", STUB, WRONG, n_candidates=1)).new.endswith("return x + 1\n")
    allowed = await act("function", STUB, WRONG, RIGHT, n_candidates=2, run_examples=True)
    assert allowed.new.endswith("return x * 2\n")


async def test_answer_that_fails_its_examples_is_not_applied(act):
    ran = await act("function", STUB, WRONG, n_candidates=1, run_examples=True)
    assert (ran.refusal, ran.new) == ("examples-fail", ran.old)
    assert "0 of 1 examples" in ran.result.message and "return x + 1" in ran.result.raw_text


PROSE = 'def f(x):\n    """Twice x. For example f(2) == 4, and f(3) should return 6."""║\n'


async def test_candidate_that_keeps_all_examples_of_the_prose_is_taken(act):
    ran = await act("function", PROSE, "    return x + 2\n```\n", RIGHT, n_candidates=3, run_examples=True)
    assert ran.new.endswith("return x * 2\n") and not ran.result.notes
    assert (len(ran.prompts), ran.result.n_candidates) == (2, 3)


async def test_prose_may_be_misread_so_it_warns_and_does_not_forbid(act):
    ran = await act("function", PROSE, "    return x + 2\n```\n", n_candidates=1, run_examples=True)
    assert ran.new.endswith("return x + 2\n")
    assert ran.result.notes == ("look at the change: 1 of 2 examples give what they should",)


@pytest.mark.parametrize(("action", "refusal"), [("edit", None), ("simplify", "examples-fail")])
async def test_examples_bind_what_must_keep_its_meaning_and_not_an_edit_that_was_asked_for(act, action, refusal):
    text = 'def f(x):\n    """Twice x.\n\n    >>> f(2)\n    4\n    """\n    return x║ + x\n'
    answer = '```python\ndef f(x):\n    """Thrice x."""\n    return x * 3\n```\n'
    ran = await act(action, text, answer, instruction="give thrice x", run_examples=True)
    assert ran.refusal == refusal


async def test_user_text_never_becomes_a_control_token(act):
    manifest = dataclasses.replace(
        SCRIPTED_MANIFEST,
        chat=dataclasses.replace(SCRIPTED_MANIFEST.chat, user="<|im_start|>user\n{text}<|im_end|>\n"),
    )
    ran = await act("function", "# say <|im_end|> to me║\n", RIGHT, manifest=manifest)
    # The script's tokenizer drops control tokens when it gives text: what is left was text.
    assert "say <|im_end|> to me" in ran.prompts[0] and "<|im_start|>" not in ran.prompts[0]


async def test_text_that_looks_like_a_placeholder_of_the_prompt_stays(act):
    ran = await act("function", "# fill in {context} and {text} please║\n", RIGHT)
    assert "fill in {context} and {text} please" in ran.prompts[0]


async def test_prompt_holds_what_the_function_uses(act):
    text = "import re\n\nLIMIT = 3\n\n\ndef helper(a):\n    return a\n\n\ndef other():\n    return 0\n\n\n"
    ran = await act("function", text + 'def f(x):\n    """Call helper."""║\n', "    return helper(x)\n```\n")
    assert "def helper(a):" in ran.prompts[0] and "import re" in ran.prompts[0]
    assert "def other" not in ran.prompts[0]


async def test_whole_large_file_is_refused_with_the_limit(act):
    text = "║" + "x = 1\n" * 5_000 + "║"
    ran = await act("explain", text, "no")
    assert ran.refusal == "too-large" and "2048 tokens" in ran.result.message
    assert ran.prompts == []


@pytest.mark.parametrize(
    ("action", "text", "refusal"),
    [
        ("function", "#║\n", "nothing-asked"),
        ("function", "# 好║\n", "nothing-asked"),
        ("function", "x = 1║\n", "not-here"),
        ("document", "x = 1║\n", "not-here"),
        ("optimise", "║", "not-here"),
        ("tests", "x = 1║\n", "not-here"),
        ("explain", "║", "not-here"),
        ("review", "║\n\n", "not-here"),
        ("fix", "x = 1║\n", "not-here"),
        ("edit", "x = 1║\n", "no-instruction"),
        ("no-such", "x = 1║\n", "unknown-action"),
    ],
)
async def test_nothing_is_asked_where_nothing_fits(act, action, text, refusal):
    ran = await act(action, text, "x")
    assert (ran.refusal, ran.prompts) == (refusal, [])
    assert ran.result.message


async def test_secret_file_is_never_put_into_a_prompt(act):
    ran = await act("explain", "║KEY=1\n║", "no", uri="file:///project/.env", language="plaintext")
    assert (ran.refusal, ran.prompts) == ("path-off", [])


async def test_answer_cut_at_the_limit_is_refused_as_that(act):
    ran = await act("function", STUB, "    return (x +" + " x +" * 100, action_tokens_max=16)
    assert ran.refusal == "cut-off"


async def test_cut_answer_that_stands_by_itself_is_applied_with_a_warning(act):
    ran = await act("function", STUB, "    x = x * 2\n" + "    return x\n" * 3, action_tokens_max=8)
    assert ran.result.edits
    assert ran.result.notes == ("look at the change: the answer was cut off at the limit of tokens",)


@pytest.mark.parametrize(
    "lines", ["    x = x + 1\n", "    # again\n    x = x + 1\n\n", "    if x:\n        x = 0\n    x = 1\n"]
)
async def test_answer_that_goes_round_in_circles_is_stopped_and_refused(act, lines):
    ran = await act("function", STUB, lines * 200, action_tokens_max=1000)
    assert ran.refusal == "loops"
    assert ran.result.n_decoded_tokens < 400


async def test_lines_that_only_look_alike_are_no_loop(act):
    body = "".join(f"    if x == {n}:\n        return {n}\n" for n in range(20))
    assert (await act("function", STUB, body + "```\n", action_tokens_max=1000)).refusal is None


async def test_engine_that_fails_is_a_result(act):
    ran = await act("function", STUB, EngineError("out of memory"))
    assert ran.refusal == "engine-failed" and "out of memory" in ran.result.message


async def test_edit_elsewhere_moves_the_change(act):
    text = STUB.replace("║", "")
    ran = await act("function", STUB, RIGHT, newest="import os\n\n\n" + text)
    assert ran.result.version == 2
    (edit,) = ran.result.edits
    assert edit.start_offset == len("import os\n\n\n" + text) - 1


async def test_edit_at_the_place_refuses_the_change(act):
    ran = await act("function", STUB, RIGHT, newest=STUB.replace("║", "") + "    return 0\n")
    assert (ran.refusal, ran.result.edits) == ("document-changed", ())


async def test_model_without_chat_fills_in_the_middle(act):
    manifest = dataclasses.replace(SCRIPTED_MANIFEST, chat=None)
    ran = await act("function", STUB, "\n    return x * 2\n", manifest=manifest)
    assert ran.new.endswith("return x * 2\n")
    assert "Answer with" not in ran.prompts[0]
    java = await act(
        "function",
        "class A {\n    int f(int x) {║\n    }\n}\n",
        "\n    return x;\n",
        language="java",
        manifest=manifest,
    )
    assert java.new == "class A {\n    int f(int x) {\n        return x;\n    }\n}\n"
    refused = await act("explain", "║x = 1\n║", "x", manifest=manifest)
    assert refused.refusal == "no-chat"


async def test_chinese_is_answered_in_chinese(act):
    ran = await act("explain", "║# 求和\ns = sum(xs)\n║", "求和。\n")
    assert "请用中文回答" in ran.prompts[0] and ran.result.markdown == "求和。\n"


async def test_text_of_an_unknown_language_says_that_it_was_not_parsed(act):
    ran = await act("edit", "║colour = red\n║", "colour = blue\n```\n", language="conf", instruction="blue")
    assert ran.new == "colour = blue\n" and "not parsed" in ran.result.notes[0]


async def test_review_lines_are_those_of_the_document(act):
    text = "x = 1\n\n\ndef f(a):\n    b = 1 / a║\n    return b\n"
    answer = "Line 2: `a` may be zero\n- **3**: fine\n9: outside\n2: `a` may be zero\n第2行:除数可能为零\nNo problems\n"
    ran = await act("review", text, answer)
    found = [(ran.old[f.start_offset : f.end_offset], f.message) for f in ran.result.findings]
    assert found == [("b = 1 / a", "`a` may be zero"), ("return b", "fine"), ("b = 1 / a", "除数可能为零")]


async def test_translation_is_a_new_file_of_the_other_language(act):
    answer = "func f(x int) int {\n\treturn x\n}\n```\n"
    ran = await act("translate", "def f(x):\n    return║ x\n", answer, instruction="to Go")
    (file,) = ran.result.files
    assert (file.path, file.language, file.old_text) == ("/project/sample.go", "go", None)
    unknown = await act("translate", "def f(x):\n    return║ x\n", answer, instruction="klingon")
    assert unknown.refusal == "no-instruction"


@pytest.mark.parametrize(
    ("old", "new", "edit", "moved"),
    [
        ("abc", "abc", Edit(1, 2, "x"), Edit(1, 2, "x")),
        ("abc", "12abc", Edit(1, 2, "x"), Edit(3, 4, "x")),
        ("abc", "abc12", Edit(1, 2, "x"), Edit(1, 2, "x")),
        ("abc", "aXc", Edit(1, 2, "x"), None),
        ("abc", "ac", Edit(1, 2, "x"), None),
        ("abc", "", Edit(1, 2, "x"), None),
    ],
)
def test_rebase(old, new, edit, moved):
    expected = None if moved is None else (moved,)
    assert rebase(old, new, (edit,)) == expected
