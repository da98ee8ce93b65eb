"""The typist at a side that draws what a test says, as soon as a place is reached."""

from __future__ import annotations

import pytest

from fimble.bench.replay.player import Player
from fimble.bench.replay.record import StopKind
from fimble.bench.replay.rhythm import Rhythm, Typist
from fimble.bench.replay.run import overview, play
from fimble.bench.replay.screen import Screen
from fimble.bench.replay.script import Script, n_keys
from fimble.bench.replay.side import Work
from fimble.errors import EngineError

QUICK = Typist(
    key_ms=1,
    symbol_ms=1,
    word_ms=1,
    line_end_ms=1,
    thought_ms=1,
    share_thought=0,
    share_mistake=0,
    reaction_ms=0,
    after_accept_ms=1,
)
TEXT = "def add(a, b):\n    total = a + b\n    return total"


class ScriptedSide:
    """Draws `answers[typed]` once `typed` stands there; `keys` are what it was told."""

    def __init__(self, answers=None, name="scripted", pid=0):
        self.name, self.pid = name, pid
        self.screen = Screen()
        self.answers = dict(answers or {})
        self.keys = []
        self.n_started = self.n_stopped = 0

    def start(self):
        self.n_started += 1

    def open(self, path, language, before, after):
        self.screen.open(before, after)
        self._before = before

    def type(self, key):
        self.keys.append(key)
        self.screen.insert(key)
        self._answer()

    def erase(self, n_chars):
        self.keys.append("\b" * n_chars)
        self.screen.erase(n_chars)

    def accept(self, text):
        self.keys.append(("accept", text))
        self.screen.insert(text)
        self._answer()

    def close_file(self):
        self.keys.append("close")

    def work(self):
        return Work(len(self.keys), 10 * len(self.keys), 5 * len(self.keys))

    def stop(self):
        self.n_stopped += 1

    def _answer(self):
        typed = self.screen.before.removeprefix(self._before)
        if (text := self.answers.get(typed)) is not None:
            self.screen.put(text, self.screen.version)


def script(line_stops=(), mid_stops=(), typed_chars=None):
    return Script(
        "a.py",
        "python",
        "import os\n\n\n",
        TEXT,
        "\n",
        typed_chars or len(TEXT),
        frozenset(line_stops),
        tuple(mid_stops),
    )


def played(side, script, typist=QUICK, stop_limit_ms=40.0):
    return Player(side, script, Rhythm(typist, 7, script.path), 7, stop_limit_ms).play()


def test_everything_is_typed_by_hand_where_nothing_is_shown():
    side = ScriptedSide()
    record = played(side, script())
    assert "".join(side.keys[:-1]) == TEXT
    assert side.keys[-1] == "close"
    assert record.n_typed_keys == record.n_script_keys == n_keys(TEXT)
    assert record.n_accepts == 0


def test_right_suggestion_is_taken_and_saves_its_keys():
    side = ScriptedSide({"def add(": "a, b):"})
    record = played(side, script())
    assert ("accept", "a, b):") in side.keys
    assert (record.n_accepts, record.n_accepted_chars) == (1, 6)
    assert record.n_typed_keys == n_keys(TEXT) - 5


def test_wrong_suggestion_is_typed_through():
    side = ScriptedSide({"def add(": "x, y):"})
    assert played(side, script()).n_accepts == 0


def test_only_the_right_lines_of_a_suggestion_are_taken():
    side = ScriptedSide({"def add(a, b):\n    ": "total = a + b\n    return None"})
    played(side, script())
    assert ("accept", "total = a + b") in side.keys


def test_reaction_takes_time():
    """A suggestion that is typed through before it was looked at is not taken."""
    side = ScriptedSide({"def add(": "a, b):"})
    slow = Typist(**{field: getattr(QUICK, field) for field in QUICK.__slots__} | {"reaction_ms": 60_000})
    assert played(side, script(), slow).n_accepts == 0


def test_stop_waits_for_a_suggestion():
    offset = TEXT.index("total")
    side = ScriptedSide({TEXT[:offset]: "total = 0"})
    record = played(side, script(line_stops=[offset]), stop_limit_ms=5000.0)
    [stop] = record.stops
    assert (stop.kind, stop.offset) == (StopKind.LINE_START, offset)
    assert stop.agreed_ms is not None
    assert stop.is_right
    assert (stop.visible_chars, stop.later_chars) == (9, 9)


def test_suggestion_that_begins_wrong_ends_the_wait_too():
    offset = TEXT.index("total")
    [stop] = played(ScriptedSide({TEXT[:offset]: "return 0"}), script(line_stops=[offset]), stop_limit_ms=5000.0).stops
    assert stop.agreed_ms is not None
    assert not stop.is_right


def test_stop_without_a_suggestion_ends_at_the_limit():
    [stop] = played(ScriptedSide(), script(line_stops=[TEXT.index("total")])).stops
    assert (stop.agreed_ms, stop.is_right, stop.visible_chars) == (None, False, 0)


def test_stop_within_a_line_waits_for_an_unpredicted_key():
    start = TEXT.index("total")
    predicted = ScriptedSide({TEXT[:start]: "total = b - a"})
    slow = Typist(**{field: getattr(QUICK, field) for field in QUICK.__slots__} | {"reaction_ms": 60_000})
    [stop] = played(predicted, script(mid_stops=[start + 3]), slow).stops
    # `total = ` was predicted, the `a` behind it was not.
    assert (stop.kind, stop.offset) == (StopKind.MID_LINE, TEXT.index("a + b") + 1)
    [stop] = played(ScriptedSide(), script(mid_stops=[start + 3])).stops
    assert stop.offset == start + 3


def test_stop_behind_an_acceptance():
    side = ScriptedSide({"def add(": "a, b):", "def add(a, b):": "\n    total = a"})
    quick_stop = script(line_stops=[len(TEXT) + 1])
    records = [Player(side, quick_stop, Rhythm(QUICK, seed, "a.py"), seed, 40.0).play() for seed in range(6)]
    kinds = [stop.kind for record in records for stop in record.stops]
    assert kinds
    assert set(kinds) == {StopKind.AFTER_ACCEPT}


def test_mistakes_are_taken_back_and_counted():
    side = ScriptedSide()
    clumsy = Typist(**{field: getattr(QUICK, field) for field in QUICK.__slots__} | {"share_mistake": 0.5})
    record = played(side, script(), clumsy)
    n_mistakes = side.keys.count("\b")
    assert n_mistakes > 3
    assert side.screen.before.endswith(TEXT)
    assert record.n_typed_keys == record.n_script_keys + 2 * n_mistakes


def test_typing_ends_where_the_script_does():
    side = ScriptedSide()
    played(side, script(typed_chars=len("def add(a, b):")))
    assert side.screen.before.endswith("def add(a, b):")


def test_side_that_is_gone_ends_the_replay():
    side = ScriptedSide()
    side.screen.fail("it ended")
    with pytest.raises(EngineError, match="it ended"):
        played(side, script())


def test_sides_take_turns_and_the_order_turns_round():
    sides = [ScriptedSide(name="one"), ScriptedSide({"def add(": "a, b):"}, name="two")]
    turns = []
    figures, records = play(
        sides,
        [script(), script()],
        QUICK,
        7,
        len,
        lambda side, path, n_done, n_all: turns.append((side, n_done, n_all)),
    )
    assert turns == [("one", 0, 4), ("two", 1, 4), ("two", 2, 4), ("one", 3, 4)]
    assert [(side.n_started, side.n_stopped) for side in sides] == [(1, 1), (1, 1)]
    assert (figures["one"].n_accepted, figures["two"].n_accepted) == (0, 2)
    assert figures["one"].share_saved_keys == 0
    assert figures["two"].share_saved_keys > 0
    assert figures["one"].n_files == 2
    assert [row["n_accepts"] for row in overview(records["two"])] == [1, 1]


def test_sides_are_stopped_when_one_fails():
    sides = [ScriptedSide(name="one"), ScriptedSide(name="two")]
    sides[1].screen.fail("it ended")
    with pytest.raises(EngineError):
        play(sides, [script()], QUICK, 7, len)
    assert [side.n_stopped for side in sides] == [1, 1]
