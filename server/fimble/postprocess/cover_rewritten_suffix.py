"""Filter: an answer that is a new version of the rest of the line replaces it. Covers all of the suffix or nothing."""

from __future__ import annotations

import re
from dataclasses import replace

from fimble.postprocess.draft import Draft, Outcome, Place
from fimble.postprocess.scan import scan
from fimble.postprocess.site import Spot

_TOKEN = re.compile(r"\w+|[^\w\s]")


def cover_rewritten_suffix(draft: Draft, place: Place) -> Outcome:
    """Cover the line suffix where the answer has everything that it has, in order, and more in between.

    An editor can show such an answer: what it replaces is still there. An answer that ends with the suffix
    is left to `join_line_suffix`, which cuts.
    """
    suffix, body = place.window.line_suffix, draft.text.rstrip()
    if draft.n_replaced_after or place.site.spot is not Spot.MID_LINE or "\n" in body:
        return draft
    if body.endswith(suffix.strip()) or not _contains(body, suffix) or not _closes_alike(body, suffix, place):
        return draft
    return replace(draft, n_replaced_after=len(suffix.rstrip()))


def _contains(body: str, suffix: str) -> bool:
    """Say whether the tokens of `suffix`, among them a word, are in `body` in the same order."""
    wanted = _TOKEN.findall(suffix)
    if len(wanted) < 2 or not any(token[0].isalnum() for token in wanted):
        return False
    found = iter(_TOKEN.findall(body))
    return all(any(token == other for other in found) for token in wanted)


def _closes_alike(body: str, suffix: str, place: Place) -> bool:
    facts, inside, line_prefix = place.site.facts, place.site.inside, place.window.line_prefix
    ours, theirs = (scan(text, facts, inside, line_prefix) for text in (body, suffix))
    same = [closer.char for closer in ours.closers] == [closer.char for closer in theirs.closers]
    return same and [bracket.char for bracket in ours.openers] == [bracket.char for bracket in theirs.openers]
