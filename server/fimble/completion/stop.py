"""Says, token by token, when the model has written enough. Pure functions of the text; cuts nothing itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fimble.completion.policy import Ask
from fimble.postprocess.align_indentation import align_indentation
from fimble.postprocess.cut_repeated_below import repeated_offset
from fimble.postprocess.cut_repetition import ends_in_loop, repeated_lines
from fimble.postprocess.cut_scope import scope_of
from fimble.postprocess.cut_sentinel import fence_counts, sentinel_offset
from fimble.postprocess.draft import Draft, Place
from fimble.postprocess.drop_comment_head import comment_head_chars, takes_code_behind_comment
from fimble.postprocess.language import Family
from fimble.postprocess.scan import scan
from fimble.postprocess.site import Spot, opens_block, survey
from fimble.records import CursorWindow, Shape
from fimble.text.line_index import to_lf

_BLANK_HEAD = re.compile(r"(?:[ \t]*\n)*")
BLANK_HEAD_LINES_MAX = 3
SUFFIX_CHARS_MIN = 5
"""A shorter line suffix is too easily part of the answer to end it."""


@dataclass(frozen=True)
class StopRules:
    """The rules for one request. `should_stop` is called on the engine's thread and never raises."""

    window: CursorWindow
    shape: Shape
    lines_max: int

    @classmethod
    def build(cls, window: CursorWindow, ask: Ask) -> StopRules:
        """Give the rules for what was asked at this place."""
        survey(window)  # read the place here rather than at the first token
        return cls(window, ask.shape, ask.lines_max)

    def should_stop(self, text: str) -> bool:
        """Say whether `text` is enough: more would be cut by the filters."""
        return self.reason(text) != ""

    def may_end_with(self, text: str, *, leaves_blocks_open: bool = False) -> bool:
        """Say whether `text` has come to the end of a line, with nothing left open that begins in it.

        `leaves_blocks_open`: within braces of blocks a statement's end will do.
        """
        lines = to_lf(text).rstrip(" \t")
        if not lines.endswith("\n") or not lines.strip():
            return False
        facts, code = survey(self.window).facts, lines.rstrip()
        last = code.rpartition("\n")[2]
        if opens_block(self.window.line_prefix + last if last == code else last, facts):
            return False
        found = scan(lines, facts)
        left_open = {opener.char for opener in found.openers}
        if leaves_blocks_open and facts.family is not Family.INDENTATION and not last.endswith(","):
            left_open.discard("{")
        return found.inside.in_code and not left_open

    def reason(self, text: str) -> str:
        """Name the rule that ends the generation after `text`, or give an empty string."""
        text = to_lf(text)
        site = survey(self.window)
        if sentinel_offset(text, fence_counts(site.facts.family, self.window.prefix)) >= 0:
            return "sentinel"
        if ends_in_loop(text[text.rfind("\n") + 1 :]):
            return "loop in a line"
        head = _BLANK_HEAD.match(text)
        n_head_chars = head.end() if head else 0
        on_own_line = site.spot in (Spot.OWN_LINE, Spot.ABOVE_LINE)
        if text.count("\n", 0, n_head_chars) > BLANK_HEAD_LINES_MAX:
            return "blank lines"
        if self.shape is Shape.LINE or site.spot is Spot.MID_LINE:
            return self._line_reason(text, n_head_chars, on_own_line)
        return self._block_reason(text, n_head_chars if on_own_line else 0)

    def _line_reason(self, text: str, n_head_chars: int, on_own_line: bool) -> str:
        if n_head_chars and not on_own_line:
            return "line end"
        site = survey(self.window)
        if takes_code_behind_comment(self.shape, site):
            n_head_chars += comment_head_chars(text[n_head_chars:], site.facts)
        if "\n" in text[n_head_chars:]:
            return "line end"
        core = self.window.line_suffix.strip()
        if not on_own_line and len(core) >= SUFFIX_CHARS_MIN and core in text:
            return "line suffix"
        return ""

    def _block_reason(self, text: str, n_head_chars: int) -> str:
        site = survey(self.window)
        body = self._aligned(text[n_head_chars:])
        n_complete_chars = body.rfind("\n") + 1
        complete = body[:n_complete_chars]
        n_lines = complete.count("\n") - (1 if complete.startswith("\n") else 0)
        if n_lines >= self.lines_max:
            return "lines"
        # Half a word at a lower indentation may become `end` or `</div>`, which belongs to the block.
        whole_lines_only = site.facts.family in (Family.KEYWORDS, Family.TAGS)
        judged = complete if whole_lines_only else body
        if judged.strip() and scope_of(judged, self.window, site).end_offset < len(judged.rstrip(" \t")):
            return "scope"
        if not complete or body[n_complete_chars:].strip():
            return ""  # nothing new about whole lines
        if scope_of(complete, self.window, site).is_over:
            return "scope"
        as_written = text[n_head_chars : text.rfind("\n") + 1]
        if any(repeated_offset(lines, self.window, site, goes_on=True) >= 0 for lines in {as_written, complete}):
            return "line below"
        if repeated_lines(complete.rstrip("\n"), self.window.line_prefix) >= 0:
            return "loop of lines"
        return ""

    def _aligned(self, body: str) -> str:
        """Give the text as the filters will judge it."""
        outcome = align_indentation(Draft(body), Place(self.window, self.shape))
        return outcome.text if isinstance(outcome, Draft) else body
