"""Review a function or a file: remarks at lines, shown as diagnostics. Changes nothing."""

from __future__ import annotations

import re

from fimble.actions.chat import Ask
from fimble.actions.explain import stretch
from fimble.actions.outcome import ActionRefusedError, Draft, Finding, Refusal
from fimble.actions.phrase import fenced, prose_rule
from fimble.actions.place import Place
from fimble.actions.plan import Action, Offer, Plan, Wish
from fimble.actions.syntax import Span
from fimble.text.line_index import to_lf

FINDINGS_MAX = 10
MESSAGE_CHARS_MAX = 300
_REMARK = re.compile(
    r"^[ \t]*(?:[-*•][ \t]*)?(?:\d+[.)][ \t]+)?[*_`]*(?:lines?|第|行|L)?[ \t]*(\d+)(?:[ \t]*(?:-|–|to|到)[ \t]*\d+)?"
    r"[ \t]*行?[*_`]*[ \t]*[::.)、-][*_`]*[ \t]*(\S.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_NOTHING = re.compile(
    r"\b(?:no (?:issues|problems|bugs|remarks)|looks good)\b|没有(?:发现)?(?:明显)?(?:的)?问题", re.IGNORECASE
)


def offer(place: Place) -> Offer | None:
    if place.function is None and not place.selected.strip():
        return None
    name = f"`{place.function.name}`" if place.function is not None else "the selection"
    return Offer(ACTION.name, f"Review {name}", ACTION.kind)


def plan(place: Place, wish: Wish) -> Plan:
    span = place.function.span if place.function is not None else stretch(place) or Span(0, len(place.text))
    first_line = place.document.line_of(span.start_offset) + 1
    rows = to_lf(place.text[place.line_start(span.start_offset) : span.end_offset]).split("\n")
    if not any(row.strip() for row in rows):
        raise ActionRefusedError(Refusal.NOT_HERE, "there is nothing to review here", "select some code")
    # Numbers from 1: a small model counts better from there than from 412.
    numbered = "\n".join(f"{number}: {row}" for number, row in enumerate(rows, 1))
    wishes = f" {wish.instruction.strip()}" if wish.instruction.strip() else ""
    user = (
        f"Review this {place.facts.title} code. Its lines are numbered. Name only real problems: bugs, edge cases, "
        f"security, speed.{wishes} Write one line for each, in the form `LINE: what is wrong`, at most "
        f"{FINDINGS_MAX}. If there are none, answer `No problems`.{prose_rule(numbered + wishes, wish.locale)}\n\n"
        f"{fenced(numbered, place.facts)}\n"
    )
    return Plan(Ask(user), read=lambda text: _read(place, text, first_line, len(rows)), fenced=False, verified=False)


def _read(place: Place, text: str, first_line: int, n_lines: int) -> Draft:
    if not text.strip():
        raise ActionRefusedError(Refusal.EMPTY_ANSWER, "the model gave no answer")
    findings: list[Finding] = []
    said: set[str] = set()
    for match in _REMARK.finditer(to_lf(text)):
        number, message = int(match.group(1)), match.group(2).strip("*_ \t")[:MESSAGE_CHARS_MAX]
        if not 1 <= number <= n_lines or message in said or _NOTHING.search(message):
            continue
        said.add(message)
        offset = place.document.line_start(first_line + number - 2)
        findings.append(Finding(offset + len(place.indent_at(offset)), place.line_end(offset), message))
        if len(findings) == FINDINGS_MAX:
            break
    return Draft(findings=tuple(findings), markdown=text.strip() + "\n")


ACTION = Action("review", "Review it", "source.fimble.review", "findings", offer, plan)
