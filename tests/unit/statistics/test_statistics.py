"""Counts: gathered, written by several processes at once, read, forgotten; and what `fimble stats` makes of them."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fimble.cli.main import main
from fimble.cli.stats import bar, share_accepted
from fimble.errors import FimbleError
from fimble.settings import Settings
from fimble.statistics import recorder as recorders
from fimble.statistics import store
from fimble.statistics.recorder import Recorder, SessionTally
from fimble.statistics.tally import GHOST_TEXT, Event, Subject

TODAY = datetime.date.today().isoformat()
SHOWN = Subject(TODAY, GHOST_TEXT, "python", "m", Event.SHOWN)
SERVER_DIR = Path(__file__).parents[3] / "server"
ADDING = """
import sys
from pathlib import Path
from fimble.statistics import store
from fimble.statistics.tally import Event, Subject
for _ in range(50):
    store.add(Path(sys.argv[1]), {Subject("2026-01-01", "fix", "go", "m", Event.SHOWN): 2}, 60_000)
"""


@pytest.fixture
def path(tmp_path, monkeypatch):
    path = tmp_path / "data" / "statistics.sqlite3"
    monkeypatch.setenv(store.FILE_VARIABLE, str(path))
    return path


def test_counts_add_up(path):
    store.add(path, {SHOWN: 2})
    store.add(path, {SHOWN: 1, Subject("2020-01-01", "fix", "go", "m", Event.UNDONE): 4})
    assert store.read(path, TODAY) == {SHOWN: 3}
    assert sum(store.read(path).values()) == 7
    store.forget(path)
    assert store.read(path) == {}


def test_file_that_another_process_begins_just_now_holds_nothing_yet(path):
    path.parent.mkdir()
    path.touch()
    assert store.read(path) == {}


def test_processes_add_to_one_file(path):
    command = [sys.executable, "-c", ADDING, str(path)]
    running = [subprocess.Popen(command, env={"PYTHONPATH": str(SERVER_DIR)}) for _ in range(4)]
    assert [process.wait(120) for process in running] == [0] * 4
    assert list(store.read(path).values()) == [4 * 50 * 2]


def test_file_that_is_no_database_is_named(path):
    path.parent.mkdir()
    path.write_text("no database, but a text of some length " * 40)
    with pytest.raises(FimbleError, match="statistics"):
        store.read(path)
    with pytest.raises(FimbleError, match="cannot write"):
        store.add(path, {SHOWN: 1})
    assert main(["stats"]) == 1


def test_count_returns_at_once_and_the_thread_writes(path):
    recorder = Recorder(path, write_every_s=0.01)
    tally = SessionTally(recorder, lambda: Settings(model="m"))
    tally.count(GHOST_TEXT, "python", Event.SHOWN)
    for _ in range(1_000):
        if store.read(path):
            break
        threading.Event().wait(0.01)
    assert store.read(path) == {SHOWN: 1}
    recorder.close()


def test_rest_is_written_at_the_end(path):
    recorder = Recorder(path, write_every_s=3_600)
    for _ in range(3):
        recorder.add(SHOWN)
    assert not path.exists()
    recorder.close()
    assert store.read(path) == {SHOWN: 3}


def test_counts_wait_for_a_file_that_can_be_written(path, monkeypatch):
    recorder = Recorder(path, write_every_s=3_600)
    path.parent.write_text("in the way")
    recorder.add(SHOWN)
    recorder.close()
    path.parent.unlink()
    recorder.close()
    assert store.read(path) == {SHOWN: 1}


def test_memory_is_bounded_while_nothing_can_be_written(path, monkeypatch):
    monkeypatch.setattr(recorders, "SUBJECTS_MAX", 2)
    recorder = Recorder(path, write_every_s=3_600)
    for number in range(5):
        recorder.add(Subject(str(number), "fix", "go", "m", Event.SHOWN))
    recorder.add(Subject("0", "fix", "go", "m", Event.SHOWN))
    recorder.close()
    assert sorted(store.read(path).values()) == [1, 2]


def test_setting_off_counts_nothing(path):
    recorder = Recorder(path, write_every_s=3_600)
    SessionTally(recorder, lambda: Settings(statistics=False)).count(GHOST_TEXT, "python", Event.SHOWN)
    recorder.close()
    assert not path.exists()


def test_what_a_client_calls_a_language_is_a_name_or_nothing(path):
    recorder = Recorder(path, write_every_s=3_600)
    tally = SessionTally(recorder, lambda: Settings())
    for language in ("c++", "password = 'x'", "a\nb", "", "x" * 100):
        tally.count(GHOST_TEXT, language, Event.SHOWN)
    recorder.close()
    assert {subject.language for subject in store.read(path)} == {"c++", "other"}


def test_share_is_of_what_was_drawn_where_editors_tell():
    assert share_accepted({"shown": 10, "accepted": 5}) == 0.5
    assert share_accepted({"shown": 10, "displayed": 8, "accepted": 2}) == 0.25
    assert share_accepted({"refused": 3}) is None


@pytest.mark.parametrize(("value", "most", "whole"), [(0, 0, 0), (0, 3, 0), (3, 3, 24), (1, 2, 12)])
def test_bar_is_as_long_as_its_share(value, most, whole):
    assert (bar(value, most).count("█"), len(bar(value, most))) == (whole, 24)


def test_stats_are_shown_by_action_and_language(path, capsys):
    store.add(
        path,
        {
            SHOWN: 10,
            Subject(TODAY, GHOST_TEXT, "python", "m", Event.ACCEPTED): 4,
            Subject(TODAY, "fix", "go", "m", Event.SHOWN): 2,
            Subject(TODAY, "fix", "go", "m", Event.UNDONE): 1,
            Subject("2020-01-01", "fix", "go", "m", Event.SHOWN): 99,
        },
    )
    assert main(["stats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    ghost, fix = lines[1:3]
    assert ghost.split()[:5] == ["ghost-text", "python", "10", "·", "4"] and "40%" in ghost and "█" in ghost
    assert fix.split()[:2] == ["fix", "go"] and "0%" in fix
    # The first day is the first that something was counted on.
    assert lines[-2] == "accepted a day" and lines[-1].startswith(TODAY) and lines[-1].endswith("4")
    assert main(["stats", "--json", "--days", "5000"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {g["name"]: g["share_accepted"] for g in said["groups"]} == {"ghost-text": 0.4, "fix": 0.0}
    assert sum(row["n"] for row in said["rows"]) == 116
    assert main(["stats", "--forget"]) == 0 and not path.exists()
    assert main(["stats"]) == 0
    assert "Nothing was counted" in capsys.readouterr().out
