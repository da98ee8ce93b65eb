"""Filter: a closer that ends something above the cursor ends the answer, unless nothing below closes it."""

from __future__ import annotations

from fimble.postprocess.draft import Draft, Outcome, Place, cut_or_decline
from fimble.postprocess.scan import CLOSERS, PAIRS, Bracket, scan
from fimble.postprocess.site import Site, Spot
from fimble.records import CursorWindow, DeclineReason


def closers_in(text: str, window: CursorWindow, site: Site) -> tuple[Bracket, ...]:
    """Give the brackets and quotes of `text` that end what was open at the cursor."""
    return scan(text, site.facts, site.inside, window.line_prefix, window.tab_width_columns).closers


def closer_run(window: CursorWindow, site: Site) -> list[tuple[str, int]]:
    """Give the closers that follow the cursor at once, each with the offset behind it in the line suffix."""
    run: list[tuple[str, int]] = []
    suffix, offset = window.line_suffix, 0
    if site.spot is Spot.ABOVE_LINE:
        return run
    if site.inside.kind.endswith("string"):
        if not suffix.startswith(site.inside.closing):
            return run
        offset = len(site.inside.closing)
        run.append((site.inside.closing, offset))
    while offset < len(suffix) and (suffix[offset] in CLOSERS or suffix[offset] in " \t"):
        offset += 1
        if suffix[offset - 1] in CLOSERS:
            run.append((suffix[offset - 1], offset))
    return run


def unmatched_closer(text: str, window: CursorWindow, site: Site) -> tuple[Bracket, bool] | None:
    """Find the first closer that must not be there, and whether the suffix has it."""
    run = [char for char, _ in closer_run(window, site)]
    n_brackets = 0
    for closer in closers_in(text, window, site):
        if run and run[0] == closer.char:
            del run[0]
            n_brackets += closer.char in CLOSERS
            continue
        if closer.char not in CLOSERS:
            # The string that the cursor is in ends here; the suffix must not end it once more.
            if any(other.char == closer.char and other.line == 0 for other in site.closers):
                return closer, True
            continue
        if n_brackets >= len(site.openers) or PAIRS[site.openers[-1 - n_brackets].char] != closer.char:
            return closer, False
        if site.closed[n_brackets]:
            return closer, True
        n_brackets += 1
    return None


def cut_unmatched_closer(draft: Draft, place: Place) -> Outcome:
    """Cut before the first closer that closes too much; at the start of its line where it is the first there."""
    site = place.site
    if draft.n_replaced_after or not site.facts.has_brackets:
        return draft
    found = unmatched_closer(draft.text, place.window, site)
    if found is None:
        return draft
    closer, is_below = found
    end = closer.offset
    if closer.first_on_line and closer.line > 0:
        end = draft.text.rfind("\n", 0, end) + 1
    return cut_or_decline(draft, end, DeclineReason.REPEATS_SUFFIX if is_below else DeclineReason.OUT_OF_SCOPE)
