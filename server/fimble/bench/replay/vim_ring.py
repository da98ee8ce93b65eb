"""llama.vim's ring of extra context: which stretches of text are kept, which leave. Pure but for its seeded draws.

Source: ggml-org/llama.vim at a1c8e6e: autoload/llama.vim (`pick_chunk`, `chunk_sim`, `ring_update`), its defaults.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

RING_CHUNKS_MAX = 16
QUEUED_CHUNKS_MAX = 16
CHUNK_LINES_MAX = 64
SCOPE_LINES = 1024
MOVED_LINES_MIN = 32
SHARE_TWIN = 0.9
SHARE_DISTORTING = 0.5
"""Chunks so like the text around the cursor make the model repeat what is there."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a file."""

    path: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


class Ring:
    """Chunks in the prompt, oldest first, and chunks that wait to get there."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.chunks: list[Chunk] = []
        self.queued: list[Chunk] = []

    def pick(self, path: str, lines: Sequence[str], evict: bool) -> None:
        """Queue a random stretch of `lines`; with `evict` its twins make room for it, else one keeps it out."""
        if len(lines) < 3:
            return
        chunk = Chunk(path, tuple(lines if len(lines) + 1 < CHUNK_LINES_MAX else self.stretch(lines)))
        if any(chunk.lines == known.lines for known in (*self.chunks, *self.queued)):
            return
        for group in (self.queued, self.chunks):
            twins = [known for known in group if likeness(known.lines, chunk.lines) > SHARE_TWIN]
            if twins and not evict:
                return
            group[:] = [known for known in group if known not in twins]
        del self.queued[: max(0, len(self.queued) - QUEUED_CHUNKS_MAX + 1)]
        self.queued.append(chunk)

    def advance(self) -> bool:
        """Move the chunk that waits longest into the ring; says if there was one."""
        if not self.queued:
            return False
        del self.chunks[: max(0, len(self.chunks) - RING_CHUNKS_MAX + 1)]
        self.chunks.append(self.queued.pop(0))
        return True

    def drop_like(self, lines: Sequence[str]) -> None:
        """Let go what is too much like a random stretch of the text around the cursor."""
        near = self.stretch(lines)
        self.chunks = [chunk for chunk in self.chunks if likeness(chunk.lines, near) <= SHARE_DISTORTING]

    def stretch(self, lines: Sequence[str]) -> Sequence[str]:
        half_lines = CHUNK_LINES_MAX // 2
        first = self._random.randint(0, max(0, len(lines) - half_lines))
        return lines[first : min(first + half_lines, len(lines)) + 1]


def likeness(one: Sequence[str], other: Sequence[str]) -> float:
    """Give Dice's coefficient over words, as llama.vim counts it: 0 nothing in common, 1 and more the same."""
    words, others = (re.split(r"\W+", "\n".join(lines)) for lines in (one, other))
    words, others = [w for w in words if w], [w for w in others if w]
    if not words and not others:
        return 1.0
    known = set(words)
    return 2.0 * sum(word in known for word in others) / (len(words) + len(others))
