"""What becomes of an action's edit, seen from the document's changes."""

from __future__ import annotations

import pytest

from fimble.lsp.edit_outcome import CHANGES_UNTIL_KEPT, CHANGES_UNTIL_MADE, EditOutcomes
from fimble.statistics.tally import Event

URI = "file:///project/sample.py"
OLD, NEW = "x = 1\n", "x = 2\n"


@pytest.fixture
def seen():
    """Propose one edit; gives `after(*texts)`, which tells what was counted."""
    counted = []
    outcomes = EditOutcomes(lambda name, language, event: counted.append(event))
    outcomes.proposed(URI, "fix", "python", OLD, NEW)

    def after(*texts):
        for text in texts:
            outcomes.changed(URI, text)
        return counted[1:]

    after.outcomes = outcomes
    return after


def test_text_of_the_edit_means_accepted(seen):
    assert seen(NEW) == [Event.ACCEPTED]


def test_edit_in_several_pieces_is_accepted(seen):
    assert seen("x = \n", NEW) == [Event.ACCEPTED]


def test_old_text_again_means_undone(seen):
    assert seen(NEW, OLD, NEW) == [Event.ACCEPTED, Event.UNDONE]


def test_going_on_without_it_means_rejected(seen):
    assert seen(*(f"x = 1{n}\n" for n in range(CHANGES_UNTIL_MADE)), NEW) == [Event.REJECTED]


def test_what_was_kept_for_long_is_not_undone(seen):
    assert seen(NEW, *("y\n" * n for n in range(CHANGES_UNTIL_KEPT)), OLD) == [Event.ACCEPTED]


def test_word_of_the_editor_counts_once(seen):
    seen.outcomes.made(URI)
    assert seen(NEW) == [Event.ACCEPTED]


@pytest.mark.parametrize("made", [True, False])
def test_closing_the_document_ends_it(seen, made):
    texts = [NEW] if made else []
    seen(*texts)
    seen.outcomes.closed(URI)
    assert seen(OLD, NEW) == ([Event.ACCEPTED] if made else [Event.REJECTED])
    assert not seen.outcomes.watches(URI)


def test_next_edit_of_the_document_ends_it(seen):
    seen.outcomes.proposed(URI, "edit", "python", OLD, NEW)
    assert seen() == [Event.REJECTED, Event.SHOWN]
