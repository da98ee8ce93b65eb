"""Filter: the answer and the rest of the cursor's line make one line. Cuts the answer or covers the suffix."""

from __future__ import annotations

import re
from dataclasses import replace

from fimble.postprocess.cut_unmatched_closer import closer_run, closers_in
from fimble.postprocess.draft import Draft, Outcome, Place
from fimble.postprocess.scan import CLOSERS
from fimble.records import CursorWindow, Decline, DeclineReason

OVERLAP_CHARS_MAX = 120
"""A longer piece of the suffix that is not all of it is not looked for: the search is quadratic."""
_QUOTES = "\"'`"


def join_line_suffix(draft: Draft, place: Place) -> Outcome:
    """Make the answer meet the line suffix without saying anything twice.

    Closers that the answer contains are covered (an editor closed them by itself), so that the answer may go
    on behind them. Else the end of the answer that the suffix begins with is cut.
    """
    if draft.n_replaced_after or not place.site.mid_line:
        return draft
    window = place.window
    suffix = window.line_suffix
    n_covered, end_of_closers = _covered_closers(draft.text, place)
    body = draft.text.rstrip("\n")
    if rest := suffix[n_covered:].rstrip():
        tail = body[end_of_closers:].rstrip()
        if n_covered and tail.endswith(rest):
            n_covered = len(suffix.rstrip())
        elif n_covered == 0:
            kept = body
            while (n_kept := _kept_before(kept, suffix.rstrip(), window)) >= 0:
                kept = kept[:n_kept].rstrip("\n")
            if kept != body:
                draft, body = draft.cut(len(kept)), kept
            n_covered = _rewritten_word(body, window)
    if not body.strip() or body.strip() == suffix[:n_covered].strip():
        return Decline(DeclineReason.REPEATS_SUFFIX)
    if n_covered == 0 and _glues(body, window):
        return Decline(DeclineReason.DOES_NOT_JOIN)
    return replace(draft, n_replaced_after=n_covered)


def _covered_closers(text: str, place: Place) -> tuple[int, int]:
    """Give how much of the line suffix the answer's closers cover, and where the last of them ends."""
    run = closer_run(place.window, place.site)
    n_covered, end = 0, 0
    for closer in closers_in(text, place.window, place.site):
        if not run or run[0][0] != closer.char:
            break
        n_covered, end = run.pop(0)[1], closer.offset + len(closer.char)
    return n_covered, end


def _kept_before(body: str, suffix: str, window: CursorWindow) -> int:
    """Give the length of the answer before it repeats the suffix, or -1 if it does not."""
    core = suffix.strip()
    if body.rstrip().endswith(core) and _is_own_piece(body.rstrip(), len(core), suffix, len(suffix), window):
        n_kept = len(body.rstrip()) - len(core)
        return len(body[:n_kept].rstrip()) if suffix[:1].isspace() else n_kept
    if len(core) >= 5 and re.search(r"\w", core):
        found = body.find(core)
        upto = body[: found + len(core)]
        if found >= 0 and _is_own_piece(upto, len(core), suffix, len(suffix), window):
            return found
    for n_chars in range(min(len(body), len(suffix), OVERLAP_CHARS_MAX), 0, -1):
        if body.endswith(suffix[:n_chars]) and _is_own_piece(body, n_chars, suffix, n_chars, window):
            return len(body) - n_chars
    return -1


def _is_own_piece(body: str, n_chars: int, suffix: str, n_suffix_chars: int, window: CursorWindow) -> bool:
    """Say whether the last `n_chars` of the answer are a piece that the suffix says once more.

    Half a word is none, nor is a bracket whose partner is in the answer.
    """
    piece = body[len(body) - n_chars :]
    if all(char in _QUOTES or char in CLOSERS or char.isspace() for char in piece):
        return piece.isspace()
    if piece[0].isalnum() or piece[0] == "_":
        before = (window.line_prefix + body)[: -n_chars or None][-1:]
        if _is_word(before) and not (n_chars == len(body) and is_mid_word(window)):
            return False
    behind = suffix[n_suffix_chars : n_suffix_chars + 1]
    return not (_is_word(piece[-1]) and _is_word(behind))


def _rewritten_word(body: str, window: CursorWindow) -> int:
    """Give the length of the rest of the cursor's word, if the answer begins with it and goes on."""
    if not is_mid_word(window):
        return 0
    match = re.match(r"\w+", window.line_suffix)
    rest = match.group() if match else ""
    return len(rest) if rest and body.startswith(rest) and len(body) > len(rest) else 0


def _glues(body: str, window: CursorWindow) -> bool:
    """Say whether the answer's last word would run into a word that the document uses as it stands."""
    match = re.match(r"\w+", window.line_suffix)
    if match is None or not _is_word(body[-1:]) or is_mid_word(window):
        return False
    word = re.compile(rf"\b{re.escape(match.group())}\b")
    return bool(word.search(window.prefix) or word.search(window.suffix, match.end()))


def is_mid_word(window: CursorWindow) -> bool:
    """Say whether the cursor stands inside a word."""
    return _is_word(window.prefix[-1:]) and _is_word(window.suffix[:1])


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
