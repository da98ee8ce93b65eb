"""Ask for one definition again, changed in some way: what fix, optimise, simplify and edit share."""

from __future__ import annotations

import re
from dataclasses import replace

from fimble.actions import rewrite
from fimble.actions.answer import code_of, take_apart
from fimble.actions.chat import Ask
from fimble.actions.outcome import Draft
from fimble.actions.phrase import core_text, fenced, opening, prose_rule, surroundings
from fimble.actions.place import Place
from fimble.actions.plan import Plan, Wish
from fimble.actions.syntax import Definition

REASON_CHARS_MAX = 300


def plan_rewrite(
    place: Place,
    target: Definition,
    sentence: str,
    wish: Wish,
    *,
    reasoned: bool = False,
    keeps_parameters: bool = True,
) -> Plan:
    """Plan the rewriting of `target` as `sentence` says; `reasoned` asks for one sentence of why, before the code."""
    facts = place.facts
    shown = core_text(place, target)
    wishes = f" {wish.instruction.strip()}" if wish.instruction.strip() else ""
    what = "function" if target.kind == "function" else "definition"
    form = (
        f"First say in one sentence what you change{prose_rule(shown + wishes, wish.locale)}, "
        f"then give the whole {what} in one code block"
        if reasoned
        else f"Answer with the whole {what} in one code block"
    )
    user = f"{{context}}{sentence}.{wishes} Keep its name and parameters. {form}.\n\n{fenced(shown, facts)}\n"
    if not keeps_parameters:
        user = user.replace(" Keep its name and parameters.", "", 1)
    context = surroundings(place, target.span.start_offset, target.span.end_offset, shown)

    def read(text: str) -> Draft:
        draft = rewrite.replace_definition(place, target, code_of(text, facts, target.name))
        if not keeps_parameters:
            draft = replace(draft, parameters=None)
        return replace(draft, reason=_reason(text) if reasoned else "")

    return Plan(
        Ask(user, "" if reasoned else opening(facts), context),
        read=read,
        fenced=not reasoned,
        # What the user asks for in their own words may be just what the examples forbid.
        examples_of=shown if keeps_parameters else "",
    )


def _reason(text: str) -> str:
    """Give the first sentence or two of what stands before the code."""
    before = re.split(r"^[ \t]*(?:```|~~~)", text, maxsplit=1, flags=re.MULTILINE)[0] or take_apart(text).prose
    joined = " ".join(before.split()).rstrip(":：")
    return joined if len(joined) <= REASON_CHARS_MAX else joined[: REASON_CHARS_MAX - 1] + "…"
