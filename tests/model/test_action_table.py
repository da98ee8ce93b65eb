"""Every action on a project of every language, by the real model over LSP: nothing is ever spoilt.

A small model may be refused; that is counted, not failed. `FIMBLE_ACTION_TABLE=all` runs all pairs (about a quarter
of an hour); otherwise a choice that holds each action and each language. `-s` shows the table.
"""

from __future__ import annotations

import os

import pytest
from lsprotocol import types

from action_projects import PROJECTS
from fimble.actions.catalogue import ACTIONS, BY_NAME
from fimble.actions.outcome import Edit, apply_edits
from fimble.actions.syntax import parse
from fimble.text.document import DocumentSnapshot
from fimble.text.position import Encoding, Position, to_offset

pytestmark = [pytest.mark.model, pytest.mark.timeout(3600)]

MODEL_ID = "qwen2.5-coder-0.5b"
INSTRUCTIONS = {"edit": "return 0 when there are no prices", "translate": ""}
PROBLEM = "the discount may be larger than 100"
CHOICE = {
    "python": ["document", "tests"],
    "javascript": ["simplify"],
    "typescript": ["function"],
    "go": ["edit", "tests"],
    "rust": ["optimise"],
    "java": ["fix"],
    "c": ["review"],
    "cpp": ["explain", "translate"],
}


def pairs():
    if os.environ.get("FIMBLE_ACTION_TABLE") == "all":
        return {language: [a.name for a in ACTIONS] for language in PROJECTS}
    return CHOICE


def test_choice_holds_each_action_and_each_language():
    assert set(CHOICE) == set(PROJECTS)
    assert {name for names in CHOICE.values() for name in names} == set(BY_NAME)


def edits_of(text, edits):
    document = DocumentSnapshot("", "", 1, text)

    def offset(place):
        return to_offset(document, Position(place.line, place.character), Encoding.UTF16)

    return tuple(Edit(offset(e.range.start), offset(e.range.end), e.new_text) for e in edits)


def is_import(text, language):
    """Say whether a text is import statements and blank lines only."""
    syntax = parse(text, language)
    rest = text
    for span in reversed(syntax.imports if syntax else ()):
        rest = rest[: span.start_offset] + rest[span.end_offset :]
    return not rest.strip()


def spoilt(project, name, outcome, folder):
    """Give what an outcome spoils; empty if nothing."""
    text, part = project.text, project.wish if name == "function" else project.target
    if outcome.refusal:
        fine = not outcome.n_workspace_edits and outcome.said["message"]
        return "" if fine else f"refused as {outcome.refusal}, with an edit or without a reason"
    if outcome.n_workspace_edits > 1:
        return "more than one WorkspaceEdit: more than one undo step"
    edits = edits_of(text, outcome.edits)
    start = text.index(part)
    end = start + len(part)
    for edit in edits:
        inside = start <= edit.start_offset <= edit.end_offset <= end
        beside = edit.start_offset == edit.end_offset
        appended_tests = name == "tests" and beside and edit.start_offset >= text.index(project.after)
        # What is new and used by the new code: an import, or a function it calls just above it.
        added = beside and (is_import(edit.text, project.language) or edit.start_offset == start)
        if not (inside or appended_tests or added):
            return f"changes what is outside: {text[edit.start_offset : edit.end_offset]!r} to {edit.text!r}"
    new = apply_edits(text, edits)
    if parse(new, project.language).errors:
        return f"does not parse:\n{new}"
    for kept in (project.before.rstrip("\n").rpartition("\n\n")[2], project.after.rstrip("\n")):
        if kept.rstrip("}\n") not in new:
            return f"the rest is not what it was:\n{new}"
    for uri, written in outcome.files.items():
        language = {"py": "python", "ts": "typescript", "rs": "rust"}.get(uri.rpartition(".")[2], project.language)
        if parse(written, language).errors:
            return f"the new file does not parse:\n{written}"
    if BY_NAME[name].makes == "edit" and not edits:
        return "says that it is done, and changes nothing"
    return ""


def summary(project, outcome):
    if outcome.refusal:
        return f"refused: {outcome.refusal}"
    parts = [f"{len(outcome.edits)} edits"] * bool(outcome.edits) + [f"{len(outcome.files)} files"] * bool(
        outcome.files
    )
    parts += [f"{outcome.n_remarks} remarks"] * bool(outcome.n_remarks)
    return ", ".join(parts) or ("text shown" if outcome.shown else "nothing to say")


@pytest.mark.parametrize("language", list(pairs()))
async def test_no_action_spoils_a_project(real_editor, tmp_path, language, record_property):
    project = PROJECTS[language]
    for name, content in (project.others | {project.path: project.text}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert not parse(project.text, language).errors
    uri = (tmp_path / project.path).as_uri()
    editor = await real_editor(MODEL_ID)
    editor.open(uri, language, project.text)
    found = {}
    for name in pairs()[language]:
        first, last = project.lines_of(project.wish.rstrip("\n") + "\n" if name == "function" else project.target)
        where = types.Range(types.Position(first, 6), types.Position(first, 6))
        if name in ("explain", "translate", "review"):
            where = types.Range(types.Position(first, 0), types.Position(last + 1, 0))
        more = {"instruction": INSTRUCTIONS.get(name, "")}
        if name == "fix":
            ends = {"start": {"line": first + 1, "character": 0}, "end": {"line": first + 1, "character": 20}}
            more["problems"] = [{"message": PROBLEM, "range": ends}]
        outcome = await editor.run(name, uri, where, **more)
        found[name] = spoilt(project, name, outcome, tmp_path)
        print(f"{language:<12}{name:<12}{'SPOILT' if found[name] else summary(project, outcome)}")
        record_property(f"{language}/{name}", summary(project, outcome))
    assert not any(found.values()), "\n\n".join(f"{name}: {what}" for name, what in found.items() if what)
    assert (tmp_path / project.path).read_text(encoding="utf-8") == project.text
