"""The side llama-cpp as the bench talks to it, with a model that a test writes."""

from __future__ import annotations

import os
import threading

import pytest

from fimble.bench.replay.link import read_message
from fimble.bench.replay.llama_child import LlamaChild
from fimble.bench.wire import encode


class WrittenSlot:
    """Answers every request alike; `broken` fails instead."""

    def __init__(self, answer="ult = 0", broken=False):
        self.answer, self.broken = answer, broken
        self.n_generations = self.n_prefilled_tokens = self.n_decoded_tokens = 0

    def run(self, request):
        if self.broken:
            raise RuntimeError("out of memory")
        self.n_generations += 1
        self.n_prefilled_tokens += len(request.prompt)
        self.n_decoded_tokens += len(self.answer.split())
        return self.answer


@pytest.fixture
def talk():
    """Start a child on pipes; gives `say(message)` and `hear()`."""
    ends = []

    def start(slot):
        (child_in, ours_out), (ours_in, child_out) = os.pipe(), os.pipe()
        streams = [os.fdopen(fd, mode) for fd, mode in ((child_in, "rb"), (child_out, "wb"))]
        say_to, hear_from = os.fdopen(ours_out, "wb"), os.fdopen(ours_in, "rb")
        thread = threading.Thread(target=lambda: LlamaChild(slot, 7, *streams).serve())
        thread.start()
        ends.append((say_to, thread))

        def say(what, **more):
            say_to.write(encode({"say": what, "version": 1, "before": "", "after": "", **more}))
            say_to.flush()

        return say, lambda: read_message(hear_from)

    yield start
    for say_to, thread in ends:
        say_to.close()
        thread.join(10)
        assert not thread.is_alive()


def test_typing_is_answered_by_what_to_draw(talk):
    say, hear = talk(WrittenSlot())
    assert hear() == {"say": "ready"}
    say("open", path="a.py", before="def f():\n", after="\n", language="python")
    say("text", before="def f():\n    res", after="\n", version=2)
    assert hear() == {"say": "show", "version": 2, "text": None}
    assert hear() == {"say": "show", "version": 2, "text": "ult = 0", "n_replaced_chars": 0}
    say("text", before="def f():\n    resu", after="\n", version=3)
    assert hear() == {"say": "show", "version": 3, "text": "lt = 0", "n_replaced_chars": 0}


def test_work_is_counted(talk):
    say, hear = talk(WrittenSlot())
    hear()
    say("open", path="a.py", before="", after="\n")
    say("text", before="res", after="\n", version=2)
    assert [hear()["text"] for _ in range(2)] == [None, "ult = 0"]
    say("close")
    say("work")
    answer = hear()
    assert answer["say"] == "work"
    assert answer["n_generations"] >= 1
    assert answer["n_decoded_tokens"] >= 3


def test_model_that_fails_is_said(talk):
    say, hear = talk(WrittenSlot(broken=True))
    hear()
    say("open", path="a.py", before="", after="\n")
    say("text", before="res", after="\n", version=2)
    assert hear()["text"] is None
    assert hear() == {"say": "failed", "message": "llama.cpp failed: out of memory"}
