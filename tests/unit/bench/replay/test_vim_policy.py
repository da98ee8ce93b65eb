"""llama.vim's policy with a model that answers when the test says so."""

from __future__ import annotations

import pytest

from fimble.bench.replay.vim_hint import Buffer, hint_of, local_context
from fimble.bench.replay.vim_policy import FIRST_PREDICT_MS, SPECULATIVE_PREDICT_MS, VimPolicy
from fimble.bench.replay.vim_ring import QUEUED_CHUNKS_MAX, Ring, likeness

HEAD = "import os\n\n\ndef total(values):\n"
TAIL = "\n\nprint(total([1]))\n"


class Editor:
    """A policy, what it sent and what it drew; `text` types on."""

    def __init__(self):
        self.sent, self.drawn = [], []
        self.policy = VimPolicy(self.sent.append, lambda hint: self.drawn.append(hint.text if hint else None), seed=7)
        self.now_ms = 0.0
        self.before = HEAD
        self.policy.open("a.py", self.before, TAIL, self.now_ms)

    def type(self, text, passed_ms=50.0):
        self.before += text
        self.now_ms += passed_ms
        self.policy.text(self.before, TAIL, self.now_ms)

    def answer(self, text):
        self.policy.response(text, self.now_ms)

    def wait(self, passed_ms):
        self.now_ms += passed_ms
        self.policy.tick(self.now_ms)

    @property
    def shown(self):
        return self.drawn[-1]


@pytest.fixture
def editor():
    return Editor()


def test_request_says_the_line_apart_from_the_lines_above(editor):
    editor.type("    res")
    [request] = editor.sent
    assert request.prefix == HEAD
    assert request.prompt == "    res"
    assert request.suffix == TAIL
    assert (request.n_predict_tokens, request.predict_ms, request.n_indent) == (128, FIRST_PREDICT_MS, 4)


def test_blank_line_is_begun_anew(editor):
    editor.type("    ")
    assert (editor.sent[0].prompt, editor.sent[0].n_indent) == ("", 0)
    editor.answer("    return sum(values)")
    assert editor.shown == "return sum(values)"


def test_answer_is_drawn_and_the_place_behind_it_asked_for_later(editor):
    editor.type("    res")
    editor.answer("ult = 0\n    for value in values:")
    assert editor.shown == "ult = 0\n    for value in values:"
    assert len(editor.sent) == 1
    editor.wait(100)
    assert len(editor.sent) == 2
    speculative = editor.sent[1]
    assert speculative.predict_ms == SPECULATIVE_PREDICT_MS
    assert speculative.prefix == HEAD + "    result = 0\n"
    assert speculative.prompt == "    for value in values:"


def test_accepted_text_finds_the_speculative_answer(editor):
    editor.type("    res")
    editor.answer("ult = 0")
    editor.wait(100)
    editor.answer("\n    return result")
    editor.type("ult = 0")
    assert editor.shown == "\n    return result"


def test_typing_through_draws_the_rest_at_once(editor):
    editor.type("    res")
    editor.answer("ult = 0")
    editor.type("u")
    assert editor.shown == "lt = 0"
    editor.type("x")
    assert editor.shown is None


def test_nothing_is_cancelled_and_typing_meanwhile_is_asked_for_later(editor):
    editor.type("    r")
    editor.type("e")
    editor.type("s")
    assert len(editor.sent) == 1
    editor.answer("zzz")
    assert editor.shown is None
    editor.wait(100)
    assert [request.prompt for request in editor.sent] == ["    r", "    res"]


def test_known_place_is_not_asked_for_again(editor):
    editor.type("    res")
    editor.answer("")
    n_sent = len(editor.sent)
    editor.policy.text(editor.before, TAIL, editor.now_ms)
    assert [request for request in editor.sent[n_sent:] if request.predict_ms == FIRST_PREDICT_MS] == []


def test_much_text_behind_the_cursor_is_no_place_to_ask(editor):
    editor.policy.text(HEAD + "    res", "ult = sum(values)\n", 50.0)
    assert editor.sent == []


def test_chunks_wait_until_nobody_types(editor):
    editor.type("    res")
    editor.answer("ult")
    editor.wait(1000)
    editor.answer("")
    assert all(request.n_predict_tokens for request in editor.sent)
    editor.wait(3000)
    assert editor.sent[-1].n_predict_tokens == 0
    assert [chunk.path for chunk in editor.sent[-1].chunks] == ["a.py"]


def test_closed_file_asks_for_nothing_more(editor):
    editor.type("    res")
    editor.policy.close()
    n_sent = len(editor.sent)
    editor.answer("ult = 0")
    assert editor.policy.next_at_ms is None
    assert len(editor.sent) == n_sent
    assert editor.shown is None


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [
        ("x = 1\n", "\ny = 2\n", "\ny = 2"),
        ("x = ", "value\n", "value"),
        ("", "\nx = 1\ny = 2\n", "x = 1"),
        ("", "\nx = 1\ny = 2\n", "x = 1\ny ="),
        ("", "\nx = 1\ny = 2\nz = 3", "x = 1\ny = 2\nz = 3"),
        ("", "\n", "\n\n"),
    ],
)
def test_repetition_is_drawn_as_nothing(before, after, answer):
    hint = hint_of(answer, Buffer.at(before, after))
    assert hint.text == ""


def test_rest_of_the_line_belongs_to_what_is_accepted():
    hint = hint_of("call(1", Buffer.at("x = ", ")\n"))
    assert (hint.text, hint.content, hint.can_accept) == ("call(1", ("call(1)",), True)


def test_answer_with_less_indentation_replaces_some():
    hint = hint_of("return x", Buffer.at("def f():\n    ", "\n"))
    assert (hint.text, hint.n_replaced_chars) == ("return x", 4)


def test_context_keeps_256_lines_above_and_64_below():
    buffer = Buffer.at("a\n" * 300 + "b", "\n" + "c\n" * 100)
    local = local_context(buffer, (), 0)
    assert (local.prefix.count("a\n"), local.suffix.count("c\n")) == (256, 64)


def test_ring_lets_twins_and_small_stretches_out():
    ring = Ring(7)
    ring.pick("a.py", ["one line", "two lines"], evict=False)
    ring.pick("a.py", ["alpha beta", "gamma", "delta"], evict=False)
    ring.pick("b.py", ["alpha beta", "gamma", "delta "], evict=False)
    assert [chunk.path for chunk in ring.queued] == ["a.py"]
    ring.pick("b.py", ["alpha beta", "gamma", "delta "], evict=True)
    assert [chunk.path for chunk in ring.queued] == ["b.py"]


def test_ring_is_bounded_and_drops_what_is_like_the_text_at_hand():
    ring = Ring(7)
    for n in range(40):
        ring.pick("a.py", [f"word{n} other{n}", f"third{n}", f"fourth{n}"], evict=False)
    assert len(ring.queued) == QUEUED_CHUNKS_MAX
    while ring.advance():
        pass
    ring.drop_like(["word39 other39", "third39", "fourth39"])
    assert len(ring.chunks) == QUEUED_CHUNKS_MAX - 1


def test_likeness():
    assert likeness(["a b"], ["a b"]) == 1.0
    assert likeness(["a b"], ["c d"]) == 0.0
    assert likeness([""], ["()"]) == 1.0
