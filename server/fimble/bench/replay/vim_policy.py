"""llama.vim's behaviour between the keys and the model: when it asks, for what, and what it draws. Owns no clock.

One request is under way at a time and is never cancelled: who types meanwhile is asked for again 100 ms later. Once an
answer is drawn, the answer for the place behind it is asked for, too.
Source: ggml-org/llama.vim at a1c8e6e: autoload/llama.vim (`fim`, `fim_on_response`, `fim_try_hint`), its defaults.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from fimble.bench.replay.vim_hint import (
    PREFIX_LINES_MAX,
    SUFFIX_LINES_MAX,
    Buffer,
    Hint,
    Local,
    hint_of,
    local_context,
)
from fimble.bench.replay.vim_ring import CHUNK_LINES_MAX, MOVED_LINES_MIN, SCOPE_LINES, Chunk, Ring

CACHE_KEYS_MAX = 250
LOOK_BACK_CHARS = 128
SHORTER_PREFIX_LINES = 3
"""An answer is filed under prefixes without up to so many of their first lines, too, and found after scrolling."""
LINE_SUFFIX_CHARS_MAX = 8
PREDICT_TOKENS_MAX = 128
FIRST_PREDICT_MS = 250
SPECULATIVE_PREDICT_MS = 1000
RETRY_MS = 100
RING_UPDATE_MS = 1000
STILL_MS = 3000


@dataclass(frozen=True, slots=True)
class Infill:
    """One request. Without `n_predict_tokens` it only warms the model up for the chunks.

    `predict_ms` ends the answer at the first line end behind it; each further line is indented by `n_indent` at least.
    """

    prefix: str
    suffix: str
    prompt: str
    chunks: tuple[Chunk, ...]
    n_predict_tokens: int = PREDICT_TOKENS_MAX
    predict_ms: int = FIRST_PREDICT_MS
    n_indent: int = 0
    keys: tuple[str, ...] = ()


class VimPolicy:
    """One editor. `send` starts a request, `draw` shows a hint (None: nothing); all times are one clock's ms."""

    def __init__(self, send: Callable[[Infill], None], draw: Callable[[Hint | None], None], seed: int) -> None:
        self._send, self._draw = send, draw
        self._ring = Ring(seed)
        self._cache: OrderedDict[str, str] = OrderedDict()
        self._buffer = Buffer(("",), 0, 0)
        self._path = ""
        self._is_open = False
        self._job: Infill | None = None
        self._hint: Hint | None = None
        self._n_indent_before = 0
        self._n_picked_line = -9999
        self._retry: tuple[float, tuple[str, ...], int] | None = None
        self._ring_at_ms = float(RING_UPDATE_MS)
        self._moved_at_ms = 0.0

    @property
    def next_at_ms(self) -> float | None:
        """When `tick` is to be called again; None while no file is open."""
        if not self._is_open:
            return None
        return self._ring_at_ms if self._retry is None else min(self._ring_at_ms, self._retry[0])

    def open(self, path: str, before: str, after: str, now_ms: float) -> None:
        """Enter a buffer: a stretch around the cursor is queued."""
        self._path, self._buffer, self._is_open = path, Buffer.at(before, after), True
        self._hint, self._retry, self._moved_at_ms = None, None, now_ms
        self._ring_at_ms = now_ms + RING_UPDATE_MS
        self._ring.pick(path, self._around(), evict=True)

    def close(self) -> None:
        """Leave insert mode and the buffer: what is queued goes into the ring, as it does while nobody types."""
        self._is_open, self._hint, self._retry = False, None, None
        while self._ring.advance():
            self._warm_up()

    def text(self, before: str, after: str, now_ms: float) -> None:
        """Take a changed text: the cursor has moved in insert mode."""
        self._buffer, self._moved_at_ms = Buffer.at(before, after), now_ms
        self._hint = None
        self._try_hint(now_ms)
        if self._hint is None:
            self._draw(None)
        self._fim((), self._buffer.n_line, now_ms)

    def response(self, answer: str, now_ms: float) -> None:
        """Take the answer to the request under way."""
        job = self._job
        assert job is not None
        for key in job.keys:
            self._remember(key, answer)
        if self._is_open and (self._hint is None or not self._hint.can_accept):
            self._try_hint(now_ms)
        # Only here: the plugin sees the answer before it sees that the request has ended.
        self._job = None

    def tick(self, now_ms: float) -> None:
        """Do what is due: the request that had to wait, the ring."""
        if self._retry is not None and self._retry[0] <= now_ms:
            _, previous, n_line = self._retry
            self._retry = None
            self._fim(previous, n_line if previous else self._buffer.n_line, now_ms)
        if self._ring_at_ms <= now_ms:
            self._ring_at_ms = now_ms + RING_UPDATE_MS
            if now_ms - self._moved_at_ms >= STILL_MS and self._ring.advance():
                self._warm_up()

    def _fim(self, previous: tuple[str, ...], n_line: int, now_ms: float) -> None:
        """Ask for the place, or for the place behind the hint `previous`, unless that is known or has to wait."""
        if self._job is not None:
            self._retry = (now_ms + RETRY_MS, previous, n_line)
            return
        buffer = self._buffer
        at = Buffer(buffer.lines, min(n_line, len(buffer.lines) - 1), buffer.n_column) if previous else buffer
        local = local_context(at, previous, self._n_indent_before)
        if len(local.line_suffix) > LINE_SUFFIX_CHARS_MAX:
            return
        keys = _keys(local)
        if any(self._recall(key) is not None for key in keys):
            return
        self._n_indent_before = local.n_indent
        self._ring.drop_like(self._around())
        self._job = Infill(
            prefix=local.prefix,
            suffix=local.suffix,
            prompt=local.middle,
            chunks=tuple(self._ring.chunks),
            predict_ms=SPECULATIVE_PREDICT_MS if previous else FIRST_PREDICT_MS,
            n_indent=local.n_indent,
            keys=keys,
        )
        self._send(self._job)
        if abs(at.n_line - self._n_picked_line) > MOVED_LINES_MIN:
            self._pick_farther(at)

    def _pick_farther(self, at: Buffer) -> None:
        """Queue a stretch from beyond the prefix and one from beyond the suffix."""
        lines, here = at.lines, at.n_line
        self._ring.pick(
            self._path, lines[max(0, here - SCOPE_LINES) : max(0, here - PREFIX_LINES_MAX) + 1], evict=False
        )
        first = min(len(lines) - 1, here + SUFFIX_LINES_MAX)
        self._ring.pick(self._path, lines[first : here + SUFFIX_LINES_MAX + CHUNK_LINES_MAX + 1], evict=False)
        self._n_picked_line = here

    def _try_hint(self, now_ms: float) -> None:
        """Draw what is known of the place; if there is anything, ask for the place behind it."""
        local = local_context(self._buffer, (), self._n_indent_before)
        answer = self._recall(_key(local.prefix, local.middle, local.suffix))
        if answer is None:
            answer = self._look_back(local)
        if answer is None:
            return
        self._hint = hint_of(answer, self._buffer)
        self._draw(self._hint if self._hint.text else None)
        self._fim(self._hint.content, self._buffer.n_line, now_ms)

    def _look_back(self, local: Local) -> str | None:
        """Give the rest of an answer for a place up to 128 characters before, if what was typed since agrees."""
        written = local.prefix + local.middle
        found: str | None = None
        n_best = 0
        for n_chars in range(1, min(LOOK_BACK_CHARS, len(written)) + 1):
            answer = self._recall(_key(written[:-n_chars], "", local.suffix))
            if not answer or not answer.startswith(written[-n_chars:]) or len(answer) == n_chars:
                continue
            rest = answer[n_chars:]
            if found is None:
                found = rest
            elif len(rest) > n_best:
                found, n_best = rest, len(rest)
        return found

    def _warm_up(self) -> None:
        self._send(Infill("", "", "", tuple(self._ring.chunks), n_predict_tokens=0, predict_ms=1))

    def _around(self) -> tuple[str, ...]:
        half_lines = CHUNK_LINES_MAX // 2
        here = self._buffer.n_line
        return self._buffer.lines[max(0, here - half_lines) : here + half_lines + 1]

    def _remember(self, key: str, answer: str) -> None:
        self._cache[key] = answer
        self._cache.move_to_end(key)
        while len(self._cache) > CACHE_KEYS_MAX:
            self._cache.popitem(last=False)

    def _recall(self, key: str) -> str | None:
        answer = self._cache.get(key)
        if answer is not None:
            self._cache.move_to_end(key)
        return answer


def _key(prefix: str, middle: str, suffix: str) -> str:
    return f"{prefix}{middle}\0{suffix}"


def _keys(local: Local) -> tuple[str, ...]:
    """Give the keys of a place: with the whole prefix, and without its first lines."""
    keys, prefix = [_key(local.prefix, local.middle, local.suffix)], local.prefix
    for _ in range(SHORTER_PREFIX_LINES):
        prefix = prefix[prefix.find("\n") + 1 :]
        if not prefix:
            break
        keys.append(_key(prefix, local.middle, local.suffix))
    return tuple(keys)
