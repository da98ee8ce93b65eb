"""How other answers begin where the first one cannot stand, and how they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from fimble.completion.answer import ROWS_AT_ONCE, Answerer
from fimble.completion.cache import CompletionCache
from fimble.completion.candidate import judge
from fimble.completion.flights import Flights
from fimble.completion.launch import Launcher
from fimble.completion.ledger import Ledger
from fimble.completion.policy import Ask
from fimble.completion.question import Question
from fimble.completion.request import CompletionRequest
from fimble.completion.second_look import Beginnings, beginnings
from fimble.completion.tracing import TraceBuilder
from fimble.context.window import cut
from fimble.engine.contract import EngineState, GenerationRequest
from fimble.engine.scripted import ByteTokenizer
from fimble.errors import FimbleError
from fimble.manifest import FimTokens
from fimble.metrics import Metrics
from fimble.records import CancelToken, Completion, Decline, DeclineReason, Generation, Shape, StopReason
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot

FIM = FimTokens("spm2", "", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")


NESTED = "def g(a):\n    return a\n\n\ndef f(a):\n║\n        return a\n"


def request_of(marked: str) -> CompletionRequest:
    document = DocumentSnapshot("file:///a.py", "python", 1, marked.replace("║", ""))
    return CompletionRequest(document, marked.index("║"))


def beginnings_of(marked: str, answer: str) -> list[Beginnings]:
    request = request_of(marked)
    window = cut(request.document, request.offset)
    return beginnings(judge(Generation(answer, 1, StopReason.RULE), answer, window, Shape.LINE), window)


def test_line_above_a_deeper_one_opens_a_block_one_level_out() -> None:
    [begin] = beginnings_of(NESTED, "    b = 1\n")
    assert (begin.lead, begin.opens_block) == ("    ", True)
    assert [begin.may_begin(word) for word in (" if", " for", " return", " #", "")] == [True, True, False, False, False]


def test_block_above_a_line_as_deep_is_no_block_or_belongs_further_out() -> None:
    [begin] = beginnings_of("def f(a):\n    ║\n    return a\n", "if a:\n")
    assert (begin.lead, begin.opens_block) == ("", False)
    outer, same = beginnings_of("def f(a):\n    for b in a:\n        c(b)\n║\n        return a\n", "        if b:\n")
    assert (outer.lead, outer.opens_block) == ("    ", True)
    assert (same.lead, same.opens_block) == ("        ", False)


def test_name_needed_below_is_wanted() -> None:
    [begin] = beginnings_of("def f(a):\n║\n    for b in a:\n        n += b\n    return n\n", "    m = 0\n")
    assert (begin.lead, begin.wanted) == ("    ", ("n =",))
    [begin] = beginnings_of("def f(a):\n    ║\n    return re.sub(a, a, a)\n", "m = 0\n")
    assert begin.wanted == ("import re",)


@pytest.mark.parametrize(
    ("marked", "answer"),
    [
        ("def f(a):\n    ║\n    return a\n", "b = 1\n"),  # fits
        ("def f(a):\n    ║\n    return a\n", ""),  # the model has said that nothing belongs here
        ("x = ║\n", "x = x = x\n"),
        ("def f(a, result):\n    ║\n    b = 1\n    result.append(b)\n", "result.append(b)\n"),
        ("def f(a):\n\t║\n\t\treturn a\n", "b = 1\n"),  # levels are counted in spaces
    ],
)
def test_place_that_does_not_say(marked: str, answer: str) -> None:
    assert beginnings_of(marked, answer) == []


@dataclass
class WordEngine:
    """Answers as a model would: `words` are the likeliest first words, `rest` how a line goes on behind its start."""

    first: str
    words: dict[str, float]
    rest: Callable[[str], str]
    asked: list[GenerationRequest] = field(default_factory=list)
    rest_log_probability: dict[str, float] = field(default_factory=dict)
    state: EngineState = EngineState.READY
    error: FimbleError | None = None
    figures: None = None
    tokenizer: ByteTokenizer = field(default_factory=ByteTokenizer)

    async def generate(self, request: GenerationRequest) -> list[Generation]:
        self.asked.append(request)
        if request.first_tokens:
            return [Generation(word, 1, StopReason.LENGTH, log_probability=p) for word, p in self.words.items()]
        if request.starts:
            starts = [self.tokenizer.decode(start) for start in request.starts]
            likely = self.rest_log_probability
            return [
                Generation(s + self.rest(s), 3, StopReason.RULE, log_probability=likely.get(s, -0.5)) for s in starts
            ]
        return [Generation(self.first, 3, StopReason.RULE)] * request.n_rows


async def outcome_of(engine: WordEngine, marked: str) -> list[Completion] | Decline:
    request = request_of(marked)
    question = Question(
        request, cut(request.document, request.offset), Ask(Shape.LINE, 1, 48, 0, 384, 128), CancelToken(), 1e12
    )
    flights = Flights(CompletionCache(), Ledger(Metrics()))
    trace = TraceBuilder(1, request, "m", 0.0)
    return await Answerer(Launcher(engine, FIM, Settings(), flights)).from_engine(question, trace)


async def answers(engine: WordEngine, marked: str) -> Sequence[str]:
    outcome = await outcome_of(engine, marked)
    assert not isinstance(outcome, Decline)
    return [c.text for c in outcome if isinstance(c, Completion)]


async def test_likeliest_line_that_can_stand_is_shown() -> None:
    engine = WordEngine("    b = 1\n", {" x": -0.1, " if": -1.0, " while": -2.0}, lambda start: " a:\n")
    assert await answers(engine, NESTED) == ["    if a:"]
    _, words, begun = engine.asked
    assert words.first_tokens
    assert [engine.tokenizer.decode(start) for start in begun.starts] == [" if"]


async def test_line_may_be_likelier_than_one_with_a_likelier_first_word() -> None:
    engine = WordEngine("    b = 1\n", {" if": -1.0, " while": -1.2, " with": -3.0}, lambda start: " a:\n")
    engine.rest_log_probability = {" if": -1.0, " while": -0.1}
    assert await answers(engine, NESTED) == ["    while a:"]
    # The third could not be likelier, however it went on.
    assert [engine.tokenizer.decode(*asked.starts) for asked in engine.asked[2:]] == [" if", " while"]


async def test_next_likeliest_is_written_where_the_likeliest_cannot_stand() -> None:
    words = {" if": -1.0, " while": -2.0, " with": -3.0}
    engine = WordEngine("    b = 1\n", words, lambda start: " a:\n" if start == " while" else " a\n")
    assert await answers(engine, NESTED) == ["    while a:"]
    assert [engine.tokenizer.decode(*asked.starts) for asked in engine.asked[2:]] == [" if", " while"]


async def test_line_that_defines_what_is_used_below_is_shown() -> None:
    engine = WordEngine("    m = 0\n", {" k": -0.1}, lambda start: " 0\n")
    marked = "def f(a):\n║\n    for b in a:\n        n += b\n    return n\n"
    assert await answers(engine, marked) == ["    n = 0"]


TWO_NAMES = "def f(a):\n║\n    while i < j:\n        i += a\n    return i\n"


async def test_line_that_defines_all_that_is_used_below_is_shown() -> None:
    engine = WordEngine("    i = 0\n", {" k": -0.1}, lambda start: " 0, a\n" if "," in start else " 0\n")
    assert await answers(engine, TWO_NAMES) == ["    i, j = 0, a"]
    assert [engine.tokenizer.decode(*asked.starts) for asked in engine.asked[1:]] == [" i, j ="]


async def test_loop_that_names_all_that_is_used_in_it_is_shown() -> None:
    engine = WordEngine("for k, v in b:\n", {}, lambda start: " zip(a, b):\n")
    marked = "def f(a, b):\n    b = 1\n    ║\n        b += k * w\n    return b\n"
    assert await answers(engine, marked) == ["for k, w in zip(a, b):"]


async def test_line_that_defines_one_of_two_names_stays_where_no_line_defines_both() -> None:
    engine = WordEngine("    i = 0\n", {" k": -0.1}, lambda start: " = 0\n")
    assert await answers(engine, TWO_NAMES) == ["    i = 0"]
    assert len(engine.asked) == 2, "no samples: another line that defines one of them is no better"


@pytest.mark.parametrize(
    ("marked", "answer"),
    [
        ("def f(a):\n║\n    return re.sub(a, n, a)\n", "    n = 0\n"),  # the module is another line's
        (
            "def f(a):\n    b = 1\n    ║\n        return k, v\n",
            "with a as k:\n",
        ),  # no line of this kind defines two by its start
        ("def f(a):\n║\n    return i + j\n", "    i, j = a\n"),
    ],
)
def test_line_that_defines_all_it_can_is_not_begun_anew(marked: str, answer: str) -> None:
    assert beginnings_of(marked, answer) == []


@pytest.mark.parametrize("silence", ["", "\n"])
async def test_model_that_says_nothing_where_a_name_is_missing_is_asked_again(silence: str) -> None:
    engine = WordEngine(silence, {" k": -0.1}, lambda start: " 0\n")
    marked = "def f(a):\n║\n    for b in a:\n        n += b\n    return n\n"
    assert await answers(engine, marked) == ["    n = 0"]


async def test_model_may_say_nothing_where_nothing_is_missing() -> None:
    engine = WordEngine("", {" k": -0.1}, lambda start: " 0\n")
    outcome = await outcome_of(engine, "def f(a):\n    ║\n    return a\n")
    assert isinstance(outcome, Decline) and outcome.reason is DeclineReason.EMPTY_ANSWER
    assert len(engine.asked) == 1


async def test_engine_that_cannot_tell_first_words_is_asked_for_samples() -> None:
    engine = WordEngine("    b = 1\n", {}, lambda start: "")
    assert await answers(engine, NESTED) == ["    b = 1"]
    assert [asked.n_rows for asked in engine.asked[2:]] == [ROWS_AT_ONCE] * (
        Settings().n_second_opinions // ROWS_AT_ONCE
    )


@pytest.mark.parametrize("too_late", ["words", "lines"])
async def test_second_look_whose_turn_comes_too_late_leaves_the_first_answer(too_late: str) -> None:
    class LateEngine(WordEngine):
        async def generate(self, request: GenerationRequest) -> list[Generation]:
            is_first = not request.starts and request.n_rows == 1
            if not is_first and request.first_tokens == (too_late == "words"):
                # What a queue gives for a request that it did not run, however many rows were asked for.
                return [Generation("", 0, StopReason.DEADLINE)]
            return await super().generate(request)

    engine = LateEngine("    b = 1\n", {" while": -2.0, " if": -1.0}, lambda start: " a:\n")
    assert await answers(engine, NESTED) == ["    b = 1"]
