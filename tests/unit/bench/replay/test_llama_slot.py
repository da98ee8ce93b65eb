"""What the server would do for a request: layout, reuse of cached tokens, the end of an answer."""

from __future__ import annotations

import pytest

from fimble.bench.replay.llama_slot import BATCH_TOKENS, Answer, Move, Sentinels, layout, reusable
from fimble.bench.replay.vim_policy import Infill
from fimble.bench.replay.vim_ring import Chunk

SENTINELS = Sentinels(1001, 1002, 1003, 1004, 1005)


def tokenize(text):
    return [ord(char) for char in text]


def readable(tokens):
    names = {1001: "<pre>", 1002: "<suf>", 1003: "<mid>", 1004: "<repo>", 1005: "<file>"}
    return "".join(names.get(token) or chr(token) for token in tokens)


def test_line_stands_behind_the_middle_sentinel():
    request = Infill("a\n", "\nb\n", "x =", (Chunk("c.py", ("one", "two")),))
    assert readable(layout(request, tokenize, SENTINELS)) == (
        "<repo>myproject\n<file>c.py\none\ntwo\n<file>filename\n<pre>a\n<suf>\nb\n<mid>x ="
    )


def test_prefix_and_suffix_are_cut_to_the_batch():
    request = Infill("A" * 5000 + "\n", "B" * 5000, "x", ())
    tokens = readable(layout(request, tokenize, SENTINELS))
    assert tokens.count("A") == BATCH_TOKENS * 3 // 4 - len("\n")
    assert tokens.count("B") == BATCH_TOKENS // 4 - 3
    assert "A\n<suf>B" in tokens


def test_typing_on_reads_the_new_tokens_only():
    assert reusable([1, 2, 3, 4], [1, 2, 3, 5, 6], 2) == (3, [])
    assert reusable([], [1, 2], 2) == (0, [])


def test_stretch_that_moved_up_is_reused():
    cached, prompt = [1, 9, 9, 2, 3, 4, 5], [1, 2, 3, 4, 6]
    assert reusable(cached, prompt, 3) == (4, [Move(3, 1, 3)])
    assert reusable(cached, prompt, 4) == (1, [])


def ended_after(pieces, n_indent=0, predict_ms=1000, ms_per_piece=0):
    answer = Answer(n_indent, predict_ms)
    for number, piece in enumerate(pieces):
        if answer.add(piece.encode(), number * ms_per_piece):
            return answer.text
    return None


@pytest.mark.parametrize(
    ("pieces", "more", "text"),
    [
        (["a", "b", "\n", "c"], {}, None),
        (["a", "b", "\n", "c"], {"predict_ms": 15, "ms_per_piece": 10}, "ab\n"),
        (["a", "b", "c"], {"predict_ms": 15, "ms_per_piece": 10}, None),
        (["a", "\n", "  ", "b"], {"n_indent": 4}, "a"),
        (["a", "\n", "    ", "b"], {"n_indent": 4}, None),
        (["a", "\n", "\n", "    b"], {"n_indent": 4}, None),
        (["a", "\n    b\nc"], {"n_indent": 4}, "a\n    b"),
    ],
)
def test_answer_ends(pieces, more, text):
    assert ended_after(pieces, **more) == text
