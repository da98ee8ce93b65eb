"""The picture of a replay."""

from __future__ import annotations

import pytest

from fimble.bench.replay import plot
from fimble.bench.replay.measure import add_up
from fimble.bench.replay.record import Played, Stop, StopKind
from fimble.bench.replay.side import Work
from fimble.errors import UsageError


def played(*waits_ms):
    stops = [Stop(StopKind.LINE_START, n, wait_ms) for n, wait_ms in enumerate(waits_ms)]
    return [Played("a.py", "x = 1", 5, 5, stops=stops)]


def test_picture_is_drawn_for_sides_with_and_without_suggestions(tmp_path):
    path = tmp_path / "plot.png"
    sides = {"one": played(0.0, 120.0, None), "other": played(None), "none": played()}
    figures = {name: add_up(rows, Work(), 0.0, len) for name, rows in sides.items()}
    plot.check(path)
    plot.draw(path, figures, sides)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [found.name for found in tmp_path.iterdir()] == ["plot.png"]


def test_place_that_is_none_is_said_first(tmp_path):
    with pytest.raises(UsageError, match="folder"):
        plot.check(tmp_path / "none" / "plot.png")


def test_missing_package_is_said_first(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="matplotlib") as caught:
        plot.check(tmp_path / "plot.png")
    assert caught.value.hint == "install `fimble[bench]`"
