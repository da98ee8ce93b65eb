"""Filter: one gap between what was typed and the answer. Touches the answer's first characters only."""

from __future__ import annotations

from fimble.postprocess.draft import Draft, Outcome, Place
from fimble.postprocess.site import Spot, is_comment


def trim_leading_space(draft: Draft, place: Place) -> Outcome:
    """Drop the spaces that the model writes after a space that was typed already."""
    site, text = place.site, draft.text
    behind_gap = place.window.line_prefix[-1:] in (" ", "\t")
    if site.spot in (Spot.OWN_LINE, Spot.ABOVE_LINE) or not behind_gap or site.inside.kind.endswith("string"):
        return draft
    content = text.lstrip(" ")
    if not content.strip() or content.startswith("\n") or is_comment(content, site.facts):
        return draft  # two spaces before a comment at the line's end are style, not an accident
    return draft.with_text(content)
