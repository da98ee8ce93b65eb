"""Filter: where one line is asked for, a line of code says more than the comment above it. Never touches code."""

from __future__ import annotations

from fimble.postprocess.cut_repeated_below import lines_after, same_line
from fimble.postprocess.draft import Draft, Outcome, Place
from fimble.postprocess.drop_blank_head import without_columns
from fimble.postprocess.language import LanguageFacts
from fimble.postprocess.site import Site, Spot
from fimble.records import Shape

COMMENT_LINES_MAX = 3


def comment_head_chars(text: str, facts: LanguageFacts) -> int:
    """Give the length of the whole lines at the front that are comments or, behind the first one, blank."""
    n_chars, n_comments = 0, 0
    for line in text.split("\n")[:-1]:
        if line.strip() and (n_comments == COMMENT_LINES_MAX or not is_line_comment(line, facts)):
            break
        if not line.strip() and not n_comments:
            break
        n_comments += bool(line.strip())
        n_chars += len(line) + 1
    return n_chars


def is_line_comment(line: str, facts: LanguageFacts) -> bool:
    """Say whether the line is a comment that ends with it."""
    return any(line.strip().startswith(opening) for opening in facts.line_comments)


def takes_code_behind_comment(shape: Shape, site: Site) -> bool:
    """Say whether a comment is skipped at this place."""
    on_own_line = site.spot in (Spot.OWN_LINE, Spot.ABOVE_LINE)
    return shape is Shape.LINE and on_own_line and site.inside.in_code


def drop_comment_head(draft: Draft, place: Place) -> Outcome:
    """Drop comment lines before the one line that is shown.

    If that line is the one below the cursor already, the comment is about it: then the comment is the answer.
    """
    site, window = place.site, place.window
    if not takes_code_behind_comment(place.shape, site):
        return draft
    n_chars = comment_head_chars(draft.text, site.facts)
    code = draft.text[n_chars:].split("\n", 1)[0].rstrip()
    if n_chars == 0 or not code or is_line_comment(code, site.facts):
        return draft
    below = lines_after(window, site, n_lines_max=1)
    if below and same_line(code, below[0]):
        return draft.cut(draft.text.find("\n") + 1)
    return draft.with_text(without_columns(draft.text[n_chars:], site.indent, window.tab_width_columns))
