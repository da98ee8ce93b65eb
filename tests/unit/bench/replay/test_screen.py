"""Ghost text on the screen while somebody types."""

from __future__ import annotations

import pytest

from fimble.bench.replay.screen import Screen


@pytest.fixture
def screen():
    screen = Screen()
    screen.open("x = ", "\n")
    return screen


def test_ghost_stays_while_it_is_typed_and_is_seen_since_it_came(screen):
    screen.put("value + 1", screen.version)
    since_s = screen.ghost.since_s
    screen.insert("val")
    assert (screen.ghost.text, screen.ghost.since_s) == ("ue + 1", since_s)
    screen.insert("x")
    assert screen.ghost is None


def test_ghost_typed_to_its_end_is_gone(screen):
    screen.put("value", screen.version)
    screen.insert("value")
    assert screen.ghost is None


def test_answer_for_an_older_text_is_dropped(screen):
    version = screen.version
    screen.insert("y")
    screen.put("value", version)
    assert screen.ghost is None
    assert screen.shows == []


def test_redrawn_rest_is_the_ghost_that_was_seen(screen):
    screen.put("value + 1", screen.version)
    since_s = screen.ghost.since_s
    screen.insert("v")
    screen.put(None, screen.version)
    screen.put("alue + 1", screen.version)
    assert screen.ghost.since_s == since_s


def test_other_text_is_seen_anew(screen):
    screen.put("value", screen.version)
    since_s = screen.ghost.since_s
    screen.put("other", screen.version)
    assert screen.ghost.since_s > since_s
    assert [show.text for show in screen.shows] == ["value", "other"]


def test_longer_text_with_the_same_beginning_is_not_new_to_the_eye(screen):
    screen.put("value", screen.version)
    since_s = screen.ghost.since_s
    screen.put("value + 1", screen.version)
    assert screen.ghost.since_s == since_s


def test_backspace_hides(screen):
    screen.insert("y")
    screen.put("value", screen.version)
    screen.erase(1)
    assert screen.ghost is None
    assert screen.before == "x = "


def test_shows_say_what_was_typed_before(screen):
    screen.insert("a")
    screen.put("bc", screen.version)
    assert [(show.typed, show.text) for show in screen.shows] == [("a", "bc")]
