"""Whether what was typed and what was decoded may be the same text. Pure."""

from __future__ import annotations

from fimble.records import CursorWindow

TYPED_CHARS_MAX = 512
"""Whoever has typed more than this since the generation began is somewhere else."""
PREFIX_TAIL_CHARS = 2_000
SUFFIX_HEAD_CHARS = 1_000
"""So much around a cursor tells one place of a document from another."""


def typed_since(before: CursorWindow, now: CursorWindow) -> str | None:
    """Give what was inserted at the cursor of `before` to come to `now`; None if something else happened."""
    if before.suffix[:SUFFIX_HEAD_CHARS] != now.suffix[:SUFFIX_HEAD_CHARS]:
        return None
    if now.prefix.startswith(before.prefix):
        typed = now.prefix[len(before.prefix) :]
        return typed if len(typed) <= TYPED_CHARS_MAX else None
    # Windows of long documents begin at different lines.
    tail = before.prefix[-PREFIX_TAIL_CHARS:]
    if len(tail) < PREFIX_TAIL_CHARS:
        return None
    found = now.prefix.rfind(tail, max(0, len(now.prefix) - len(tail) - TYPED_CHARS_MAX))
    return None if found < 0 else now.prefix[found + len(tail) :]


def agree(answer: str, typed: str) -> bool:
    """Say whether what was typed and what is decoded so far may be the same text."""
    return answer.startswith(typed) or typed.startswith(answer)
