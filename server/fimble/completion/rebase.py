"""Carry a suggestion over to a newer snapshot, if what was typed meanwhile agrees with it. Pure."""

from __future__ import annotations

from dataclasses import replace

from fimble.records import Completion
from fimble.text.document import DocumentSnapshot


def rebase(completion: Completion, asked: DocumentSnapshot, newest: DocumentSnapshot, offset: int) -> Completion | None:
    """Give the completion against `newest`, or None if it does not fit any more.

    `offset` is where the cursor was in `asked`. Only text inserted at the cursor that the suggestion starts
    with is carried over: then the range covers it.
    """
    if newest.text == asked.text:
        return completion
    typed = inserted_at(offset, asked, newest)
    if not typed:
        return None
    head = asked.text[completion.start_offset : offset]
    if not completion.text.startswith(head + typed) or len(completion.text) == len(head + typed):
        return None
    return replace(completion, end_offset=completion.end_offset + len(typed))


def inserted_at(offset: int, asked: DocumentSnapshot, newest: DocumentSnapshot) -> str | None:
    """Give what was inserted at `offset` of `asked`; empty if nothing was, None if something else happened."""
    n_inserted = len(newest.text) - len(asked.text)
    if n_inserted < 0:
        return None
    before, after = asked.text[:offset], asked.text[offset:]
    is_insertion = newest.text.startswith(before) and newest.text.endswith(after)
    return newest.text[offset : offset + n_inserted] if is_insertion else None
