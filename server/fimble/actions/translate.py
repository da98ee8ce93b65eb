"""Write a function or a file again in another programming language, as a new document."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePath

from fimble.actions.answer import code_of
from fimble.actions.chat import Ask
from fimble.actions.explain import stretch
from fimble.actions.language import LanguageFacts, find_language
from fimble.actions.outcome import ActionRefusedError, Draft, Edit, FileText, Refusal
from fimble.actions.phrase import definition_text, fenced, opening, surroundings
from fimble.actions.place import Place
from fimble.actions.plan import Action, Offer, Plan, Wish
from fimble.actions.syntax import Span
from fimble.text.location import path_of

_TO = re.compile(r"^\s*(?:translate\s+)?(?:in)?to\s+", re.IGNORECASE)
DEFAULT_TARGETS = {
    "python": "typescript",
    "typescript": "python",
    "javascript": "typescript",
    "go": "rust",
    "rust": "go",
}


def offer(place: Place) -> Offer | None:
    if place.facts.language == "plaintext" or stretch(place) is None:
        return None
    target = find_language(DEFAULT_TARGETS.get(place.facts.language, "python"))
    return Offer(ACTION.name, f"Translate to {target.title if target else 'Python'}", ACTION.kind)


def plan(place: Place, wish: Wish) -> Plan:
    wanted = _TO.sub("", wish.instruction).strip() or DEFAULT_TARGETS.get(place.facts.language, "python")
    target = find_language(wanted)
    if target is None:
        raise ActionRefusedError(
            Refusal.NO_INSTRUCTION, f"no language is called `{wanted}`", "say for example `--instruction go`"
        )
    if target.language == place.facts.language:
        raise ActionRefusedError(Refusal.UNCHANGED, f"this is {target.title} already", "name another language")
    span = stretch(place) or Span(0, len(place.text))
    whole = place.definition is not None and place.definition.span == span
    code = (
        definition_text(place, place.definition)
        if whole and place.definition
        else place.text[span.start_offset : span.end_offset]
    )
    if not code.strip():
        raise ActionRefusedError(Refusal.NOT_HERE, "there is nothing to translate here", "select some code")
    user = (
        f"{{context}}Translate this {place.facts.title} code to {target.title}, with the same names as far as the "
        f"conventions of {target.title} allow. Answer with the {target.title} code alone, in one code block.\n\n"
        f"{fenced(code, place.facts)}\n"
    )
    context = surroundings(place, span.start_offset, span.end_offset, code)
    return Plan(Ask(user, opening(target), context), read=lambda text: _read(place, target, text))


def _read(place: Place, target: LanguageFacts, text: str) -> Draft:
    code = code_of(text, target).strip("\n") + "\n"
    path = PurePath(path_of(place.document.uri) or "untitled")
    new = FileText(str(path.with_suffix(target.extension)), target.language, (Edit(0, 0, code),))
    return replace(Draft(files=(new,)), markdown=f"```{target.fences[0]}\n{code}```\n")


ACTION = Action("translate", "Translate it", "source.fimble.translate", "files", offer, plan)
