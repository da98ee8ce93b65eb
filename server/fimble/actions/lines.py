"""Ask for a stretch of whole lines again: what fix and edit do outside of a single definition."""

from __future__ import annotations

from fimble.actions import fit
from fimble.actions.answer import code_of
from fimble.actions.chat import Ask
from fimble.actions.outcome import Draft, Edit
from fimble.actions.phrase import fenced, opening, surroundings
from fimble.actions.place import Place
from fimble.actions.plan import Plan
from fimble.actions.syntax import Span
from fimble.text.line_index import to_lf


def plan_lines(place: Place, span: Span, sentence: str) -> Plan:
    """Plan the rewriting of the lines of `span` as `sentence` says."""
    facts = place.facts
    code = to_lf(place.text[span.start_offset : span.end_offset])
    indent = min((_indent(line) for line in code.split("\n") if line.strip()), key=len, default="")
    shown = "\n".join(line.removeprefix(indent) for line in code.split("\n"))
    user = f"{{context}}{sentence}. Answer with the changed code alone, in one code block.\n\n{fenced(shown, facts)}\n"

    def read(text: str) -> Draft:
        new = code_of(text, facts).strip("\n")
        fitted = fit.reindent(new, facts.language, indent, place.unit_for(new))
        edit = Edit(span.start_offset, span.end_offset, fit.with_line_ends(fitted, place.document.end_of_line))
        return Draft(edits=(edit,))

    return Plan(Ask(user, opening(facts), surroundings(place, span.start_offset, span.end_offset, code)), read=read)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]
