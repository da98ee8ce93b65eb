"""From completions to what the editor gets, and from a trace to what a person reads."""

import pytest

from fimble.lsp.asking import Answer
from fimble.lsp.completion_menu import _item as menu_item
from fimble.lsp.explanation import readable
from fimble.lsp.inline_completion import _item as inline_item
from fimble.records import Completion, RequestTrace, Trigger
from fimble.text.document import DocumentSnapshot
from fimble.text.position import Encoding


def answer_for(text, completion, encoding=Encoding.UTF16):
    return Answer((completion,), DocumentSnapshot("file:///a.py", "python", 1, text), encoding)


@pytest.mark.parametrize(("encoding", "character"), [(Encoding.UTF8, 8), (Encoding.UTF16, 6), (Encoding.UTF32, 5)])
def test_range_counts_in_the_session_encoding(encoding, character):
    completion = Completion("c1", "x", 5, 6)
    item = inline_item(completion, answer_for("s='😀')", completion, encoding))
    assert (item.range.start.character, item.range.end.character) == (character, character + 1)


@pytest.mark.parametrize(
    ("document", "start", "end", "text", "expected"),
    [
        ("f()", 2, 3, "a)", ")a)"),
        ("f()", 2, 2, "a", "a"),
        ("f(ab", 2, 4, "abc)", "abc)"),
    ],
)
def test_filter_text_starts_with_what_is_replaced(document, start, end, text, expected):
    completion = Completion("c1", text, start, end)
    assert inline_item(completion, answer_for(document, completion)).filter_text == expected


def test_range_over_a_line_end_is_no_range_for_an_editor():
    completion = Completion("c1", "x", 1, 3)
    assert not answer_for("a\nb", completion).is_on_one_line(completion)
    assert answer_for("abc\n", completion).is_on_one_line(completion)


def test_menu_item_covers_the_word_and_sorts_last():
    completion = Completion("c1", "dex(0)\n    pass", 10, 10)
    item = menu_item(completion, answer_for("value = in", completion))
    assert item.label == "index(0)"
    assert item.text_edit.new_text == "index(0)\n    pass"
    assert (item.text_edit.range.start.character, item.text_edit.range.end.character) == (8, 10)
    assert item.filter_text.startswith("in")


def test_word_ends_at_the_line_start():
    completion = Completion("c1", "x", 4, 4)
    item = menu_item(completion, answer_for("abc\n", completion))
    assert item.text_edit.range.start == item.text_edit.range.end


def test_label_has_a_bounded_length():
    completion = Completion("c1", "x" * 500, 0, 0)
    assert len(menu_item(completion, answer_for("", completion)).label) == 60


def test_explanation_of_a_decline_names_reason_and_detail():
    trace = RequestTrace(1, "file:///a.py", "python", Trigger.AUTOMATIC, "declined", "line-too-long", "over 5000")
    assert readable(trace).splitlines()[0] == "declined: python, automatic, line-too-long (over 5000)"


def test_explanation_of_a_suggestion_names_what_was_used_and_how_long_it_took():
    trace = RequestTrace(
        1,
        "file:///a.py",
        "python",
        Trigger.INVOKED,
        "shown",
        shape="line",
        model_id="qwen",
        cache="typed-through",
        n_prefix_tokens=30,
        n_suffix_tokens=4,
        n_decoded_tokens=7,
        stop_reason="rule",
        filters=("cut_at_suffix",),
        parts_ms={"delay": 75.0, "total": 120.25},
    )
    text = readable(trace)
    for part in ("model qwen", "30 tokens before and 4 after", "typed-through", "7 tokens, ended by rule"):
        assert part in text
    assert "changed by cut_at_suffix" in text
    assert "delay 75.0 ms, total 120.2 ms" in text
