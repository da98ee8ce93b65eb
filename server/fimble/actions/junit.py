"""Java's tests: where JUnit looks for them, and new methods for a class of them that is there already."""

from __future__ import annotations

import re
from pathlib import PurePath

from fimble.actions import fit
from fimble.actions.outcome import ActionRefusedError, Edit, Refusal
from fimble.actions.plan import Workspace
from fimble.actions.syntax import Definition, Syntax, parse
from fimble.text.document import DocumentSnapshot

_PACKAGE = re.compile(r"^[ \t]*package[ \t]+[\w.]+[ \t]*;", re.MULTILINE)
_JUPITER = ("import static org.junit.jupiter.api.Assertions.*;", "import org.junit.jupiter.api.Test;")
_JUNIT4 = ("import static org.junit.Assert.*;", "import org.junit.Test;")


def place_of_tests(file: PurePath, text: str, workspace: Workspace) -> tuple[str, str, str]:
    """Give the path of a class's tests, the framework's name, and what a new file of them begins with.

    Source: the standard directory layout of Maven, which Gradle shares: `src/main/java` and `src/test/java`.
    """
    parts = list(file.parts)
    found = next((i for i in range(len(parts) - 2) if parts[i : i + 3] == ["src", "main", "java"]), None)
    if found is not None:
        parts[found + 1] = "test"
    path = PurePath(*parts).with_name(f"{file.stem}Test.java")
    root = PurePath(workspace.root_of(str(file)))
    build = "".join(workspace.read(str(root / n)) or "" for n in ("pom.xml", "build.gradle", "build.gradle.kts"))
    is_old = "jupiter" not in build and re.search(r"junit:junit|<artifactId>junit</artifactId>", build) is not None
    package = _PACKAGE.search(text)
    head = [package.group().strip(), ""] if package else []
    start = "\n".join([*head, *(_JUNIT4 if is_old else _JUPITER)]) + "\n"
    return str(path), "JUnit 4" if is_old else "JUnit 5", start


def into_class(old: str, body: str, indent_unit: str) -> Edit:
    """Give the edit that puts the test methods of the class `body` into the test class of the file `old`.

    Errors: ActionRefusedError where either has no class.
    """
    target, source = _test_class(old), _test_class(body)
    if target is None or source is None:
        raise ActionRefusedError(Refusal.NO_TESTS, "the test file has no class that tests could go into")
    (_, there), (syntax, new) = target, source
    taken = set(re.findall(r"\w+", old))
    methods: list[str] = []
    for method in _methods(syntax, new):
        code = body[method.span.start_offset : method.span.end_offset]
        name, number = method.name, 2
        while name in taken:
            name, number = f"{method.name}{number}", number + 1
        code = re.sub(rf"\b{re.escape(method.name)}(?=[ \t]*\()", name, code, count=1)
        start = body.rfind("\n", 0, method.span.start_offset) + 1
        shown_indent = body[start : method.span.start_offset]
        methods.append(fit.reindent(shown_indent + code, "java", indent_unit, indent_unit, shown_indent))
    if not methods:
        raise ActionRefusedError(Refusal.NO_TESTS, "the answer holds no test")
    assert there.body is not None
    close = there.body.end_offset - 1
    line_start = old.rfind("\n", 0, close) + 1
    at = line_start if not old[line_start:close].strip() else close
    gap = "" if at == line_start else "\n"
    end_of_line = DocumentSnapshot("", "", 0, old).end_of_line
    return Edit(at, at, fit.with_line_ends(gap + "\n" + "\n\n".join(methods) + "\n", end_of_line))


def _test_class(text: str) -> tuple[Syntax, Definition] | None:
    syntax = parse(text, "java")
    if syntax is None:
        return None
    classes = [d for d in syntax.definitions if d.kind == "class" and d.n_outer == 0 and d.body is not None]
    return (syntax, classes[-1]) if classes else None


def _methods(syntax: Syntax, of: Definition) -> list[Definition]:
    assert of.body is not None
    return [
        d
        for d in syntax.definitions
        if d.kind == "function" and d.n_outer == 1 and of.body.start_offset <= d.span.start_offset < of.body.end_offset
    ]
