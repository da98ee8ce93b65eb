"""Move edits to a document that went on changing, or say that they do not fit any more. Pure."""

from __future__ import annotations

from fimble.actions.outcome import Edit


def rebase(old: str, new: str, edits: tuple[Edit, ...]) -> tuple[Edit, ...] | None:
    """Give the edits against `new`, or None if what changed touches one of them.

    The change is taken as one stretch, between the texts' longest common start and end. An edit that ends before
    it stays, one that starts after it is shifted. A change with nothing but blanks between it and an edit touches it:
    a line written below a stub is the body that the edit would bring.
    """
    if old == new:
        return edits
    start = _n_common(old, new)
    n_common_end = min(_n_common(old[::-1], new[::-1]), len(old) - start, len(new) - start)
    end, shift = len(old) - n_common_end, len(new) - len(old)
    moved: list[Edit] = []
    for edit in edits:
        first = len(old[: edit.start_offset].rstrip())
        last = len(old) - len(old[edit.end_offset :].lstrip())
        if last < start:
            moved.append(edit)
        elif first > end:
            moved.append(Edit(edit.start_offset + shift, edit.end_offset + shift, edit.text))
        else:
            return None
    return tuple(moved)


def _n_common(a: str, b: str) -> int:
    """Count the characters at the start that are the same."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if a.startswith(b[:middle]) else (low, middle - 1)
    return low
