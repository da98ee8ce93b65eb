"""Write tests of a function or class in the project's own layout and framework, in a new file or after older tests."""

from __future__ import annotations

import re
from pathlib import PurePath

from fimble.actions import fit, junit
from fimble.actions.answer import code_of
from fimble.actions.chat import Ask
from fimble.actions.imports import bound_names
from fimble.actions.known_names import imports_for
from fimble.actions.outcome import ActionRefusedError, Draft, Edit, FileText, Refusal
from fimble.actions.phrase import core_text, fenced, opening, surroundings
from fimble.actions.place import Place
from fimble.actions.plan import Action, Offer, Plan, Wish
from fimble.actions.syntax import Definition, parse
from fimble.actions.testing_layout import SUPPORTED, SuiteLayout, layout_of
from fimble.text.document import DocumentSnapshot
from fimble.text.line_index import to_lf
from fimble.text.location import path_of

N_TESTS = 3
_JS_IMPORT = re.compile(r"^(?:import\b[^;\n]*(?:;|$)|const\s*[\w{}, ]+=\s*require\([^)]*\);?)[ \t]*\n?", re.MULTILINE)


def offer(place: Place) -> Offer | None:
    definition = place.definition
    if definition is None or definition.body is None or place.facts.language not in SUPPORTED:
        return None
    if place.is_stub(definition) or path_of(place.document.uri) is None or _is_test(definition.name):
        return None
    return Offer(ACTION.name, f"Write tests for `{definition.name}`", ACTION.kind)


def plan(place: Place, wish: Wish) -> Plan:
    definition, path = place.definition, path_of(place.document.uri)
    if place.facts.language not in SUPPORTED:
        raise ActionRefusedError(
            Refusal.NOT_HERE,
            f"tests are not written for {place.facts.title} yet",
            "known: Python, JavaScript, TypeScript, Go, Rust, Java",
        )
    if definition is None or definition.body is None:
        raise ActionRefusedError(Refusal.NOT_HERE, "there is no function or class here", "put the cursor into one")
    if path is None:
        raise ActionRefusedError(Refusal.NOT_HERE, "a document without a file has no test file", "save it first")
    layout = layout_of(path, place.facts.language, definition.name, place.text, wish.workspace)
    facts = place.facts
    shown = core_text(place, definition)
    owner = f" of the class `{PurePath(path).stem}`" if facts.language == "java" else ""
    wishes = f" {wish.instruction.strip()}" if wish.instruction.strip() else ""
    start = _prefill(facts.language, layout, definition)
    user = (
        f"{{context}}Write {N_TESTS} short unit tests with {layout.framework} for the {facts.title} {definition.kind} "
        f"`{definition.name}`{owner} below, with expected values you are sure of.{wishes} "
        f"Answer with the test code alone, in one code block.\n\n{fenced(shown, facts)}\n"
    )
    context = surroundings(place, definition.span.start_offset, definition.span.end_offset, shown)

    def read(text: str) -> Draft:
        code = code_of(text, facts)
        if layout.in_source:
            return _in_source(place, code)
        old = wish.workspace.read(layout.path)
        return Draft(files=(_file(place, layout, definition, code, old),))

    return Plan(Ask(user, opening(facts, start), context), read=read)


def _prefill(language: str, layout: SuiteLayout, definition: Definition) -> str:
    if language == "python":
        return f"import pytest\n{layout.start}\n\ndef test_"
    if language == "go":
        return f"{layout.start}\nfunc Test"
    if language == "java":
        return f"{layout.start}\nclass {PurePath(layout.path).stem} {{\n\n    @Test\n    void "
    if language == "rust":
        return "#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn "
    return f'{layout.start}\ndescribe("{definition.name}", () => {{\n'


def _is_test(name: str) -> bool:
    return name.lower().startswith("test")


def _file(place: Place, layout: SuiteLayout, definition: Definition, code: str, old: str | None) -> FileText:
    language = place.facts.language
    body, imports = _tests_and_imports(code, language, definition, layout)
    n_blank = 2 if language == "python" else 1
    if old is None:
        head = _head(layout, imports, language, body)
        whole = Edit(0, 0, f"{head}{chr(10) * n_blank}{body}\n")
        return FileText(layout.path, place.document.language, (whole,), holds_tests=True)
    end_of_line = DocumentSnapshot("", "", 0, old).end_of_line
    if language == "java":
        added = junit.into_class(old, body, place.indent_unit)
        return FileText(layout.path, language, (added,), old, holds_tests=True)
    body = _renamed(body, old, language)
    missing = [i for i in _head(layout, imports, language, body).splitlines() if i.strip() and i.strip() not in old]
    missing = [i for i in missing if not i.startswith("package ")]
    edits: list[Edit] = []
    if missing:
        at = _import_offset(old, place.document.language)
        edits.append(Edit(at, at, fit.with_line_ends("\n".join(missing) + "\n", end_of_line)))
    gap = "\n" * (n_blank + (0 if old.endswith(("\n", "\r")) or not old else 1))
    edits.append(Edit(len(old), len(old), fit.with_line_ends(f"{gap}{body}\n", end_of_line)))
    return FileText(layout.path, place.document.language, tuple(edits), old, holds_tests=True)


def _tests_and_imports(code: str, language: str, definition: Definition, layout: SuiteLayout) -> tuple[str, list[str]]:
    """Give the tests of an answer without the tested code itself, and the imports it has."""
    syntax = parse(code, language)
    if syntax is None or syntax.errors:
        raise ActionRefusedError(Refusal.DOES_NOT_PARSE, "the tests do not parse")
    imports = [code[s.start_offset : s.end_offset].strip() for s in syntax.imports]
    kept: list[str] = []
    for span in syntax.top_level:
        text = code[span.start_offset : span.end_offset]
        defines = next((d for d in syntax.definitions if d.span == span or d.core == span), None)
        repeats = defines is not None and defines.name == definition.name
        runs = language == "python" and text.startswith(("if __name__", "pytest.main", "unittest.main"))
        is_import = span in syntax.imports or _JS_IMPORT.fullmatch(text.strip() + "\n") is not None
        if repeats or runs or is_import or text.startswith("package "):
            continue
        kept.append(text)
    if not kept:
        raise ActionRefusedError(Refusal.NO_TESTS, "the answer holds no test")
    gap = "\n\n\n" if language == "python" else "\n\n"
    return gap.join(kept), imports


def _head(layout: SuiteLayout, imports: list[str], language: str, body: str) -> str:
    """Give the head of a test file: the layout's own lines, and what else the tests need."""
    lines = layout.start.rstrip("\n").split("\n")
    if language == "python":
        extra = [
            i
            for i in imports
            if i.startswith("import ") and re.search(rf"\b{re.escape(i.split()[1].split('.')[0])}\b", body)
        ]
        lines = [*sorted(set(extra)), *([""] if extra else []), *lines]
    if language == "go":
        found = [f'import "{path}"' for statement in imports for path in re.findall(r'"([^"]+)"', statement)]
        used = [i for i in found if any(re.search(rf"\b{n}\.", body) for n in bound_names(i, "go"))]
        lines += [i for i in dict.fromkeys([*used, *imports_for(body, "go", set())]) if i not in lines]
    return "\n".join(lines) + "\n"


def _renamed(body: str, old: str, language: str) -> str:
    """Give tests that a file has under the same name another one."""
    taken = set(re.findall(r"\w+", old))
    for name in dict.fromkeys(re.findall(r"\b(?:def|func)[ \t]+(test\w*|Test\w*)", body)):
        new, number = name, 2
        while new in taken:
            new, number = f"{name}_{number}", number + 1
        if new != name:
            body = re.sub(rf"\b{name}\b", new, body)
    return body


def _import_offset(old: str, language: str) -> int:
    syntax = parse(old, language)
    last = max((s.end_offset for s in syntax.imports), default=0) if syntax else 0
    if not last:
        package = re.match(r"package[^\n]*\n", to_lf(old)) if language == "go" else None
        return package.end() if package and "\r" not in old else 0
    end = old.find("\n", last)
    return len(old) if end < 0 else end + 1


def _in_source(place: Place, code: str) -> Draft:
    """Put Rust tests into the file's `mod tests`, or into a new one at its end."""
    syntax, end_of_line = place.syntax, place.document.end_of_line
    inner = re.search(r"mod\s+tests\s*\{\n?([\s\S]*)\}\s*$", code)
    tests = (inner.group(1) if inner else code).strip("\n")
    tests = re.sub(r"^[ \t]*use super::\*;[ \t]*\n+", "", tests, flags=re.MULTILINE)
    if "#[test]" not in tests:
        raise ActionRefusedError(Refusal.NO_TESTS, "the answer holds no test")
    fitted = fit.reindent(tests, "rust", place.indent_unit, place.indent_unit)
    opened = re.search(r"mod\s+tests\s*\{", place.text)
    assert syntax is not None
    if opened is not None:
        close = _closing_brace(place.text, opened.end())
        text = f"\n{fitted}\n"
        return Draft(edits=(Edit(close, close, fit.with_line_ends(text, end_of_line)),))
    gap = "\n" if place.text.endswith("\n") else "\n\n"
    text = f"{gap}#[cfg(test)]\nmod tests {{\n{place.indent_unit}use super::*;\n\n{fitted}\n}}\n"
    return Draft(edits=(Edit(len(place.text), len(place.text), fit.with_line_ends(text, end_of_line)),))


def _closing_brace(text: str, offset: int) -> int:
    """Give the brace that closes the one before `offset`. One in a string may mislead: the parse check tells."""
    depth = 1
    for at in range(offset, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 0:
            return at
    return len(text)


ACTION = Action("tests", "Write tests", "source.fimble.tests", "files", offer, plan)
