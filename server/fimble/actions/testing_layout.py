"""Where a project keeps its tests and how it writes them. Looks at names and a few files; writes nothing."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import PurePath

from fimble.actions import junit
from fimble.actions.plan import Workspace

JAVASCRIPT = ("javascript", "javascriptreact", "typescript", "typescriptreact")
SUPPORTED = ("python", "go", "rust", "java", *JAVASCRIPT)


@dataclass(frozen=True, slots=True)
class SuiteLayout:
    """The test file of one source file. `start` is what a new file begins with; `framework` is said to the model."""

    path: str
    framework: str
    start: str
    in_source: bool = False


def layout_of(path: str, language: str, name: str, text: str, workspace: Workspace) -> SuiteLayout:
    """Give the test file for the definition `name` of the file `path`, whose text is `text`."""
    if language == "python":
        return _python(PurePath(path), name, workspace)
    if language == "go":
        package = re.search(r"^package[ \t]+(\w+)", text, re.MULTILINE)
        start = f'package {package.group(1) if package else "main"}\n\nimport "testing"\n'
        file = PurePath(path)
        return SuiteLayout(str(file.with_name(file.stem + "_test.go")), "Go's testing package", start)
    if language == "java":
        return SuiteLayout(*junit.place_of_tests(PurePath(path), text, workspace))
    if language == "rust":
        return SuiteLayout(path, "Rust's built-in tests", "", in_source=True)
    return _javascript(PurePath(path), language, name, text, workspace)


def _python(file: PurePath, name: str, workspace: Workspace) -> SuiteLayout:
    root = PurePath(workspace.root_of(str(file)))
    tests = next((root / f for f in ("tests", "test") if workspace.is_folder(str(root / f))), None)
    folder = tests if tests is not None else file.parent
    module = _python_module(file, root, tests is not None)
    return SuiteLayout(str(folder / f"test_{file.stem}.py"), "pytest", f"from {module} import {name}\n")


def _python_module(file: PurePath, root: PurePath, apart: bool) -> str:
    if not apart:
        return file.stem
    parts = list(file.relative_to(root).with_suffix("").parts)
    if parts and parts[0] == "src":
        parts = parts[1:]
    if parts and parts[-1] == "__init__":
        parts = parts[:-1]
    return ".".join(parts) or file.stem


def _javascript(file: PurePath, language: str, name: str, text: str, workspace: Workspace) -> SuiteLayout:
    root = PurePath(workspace.root_of(str(file)))
    package = workspace.read(str(root / "package.json")) or ""
    folder = file.parent
    for candidate in (file.parent / "__tests__", root / "tests", root / "test", root / "__tests__"):
        if workspace.is_folder(str(candidate)):
            folder = candidate
            break
    suffix = file.suffix or (".ts" if language.startswith("typescript") else ".js")
    path = folder / f"{file.stem}.test{suffix}"
    relative = PurePath(os.path.relpath(file.with_suffix(""), folder)).as_posix()
    relative = relative if relative.startswith(".") else f"./{relative}"
    commonjs = language.startswith("javascript") and '"module"' not in package and "module.exports" in text
    default = re.search(rf"export\s+default\s+(?:async\s+)?(?:function|class)?\s*{re.escape(name)}\b", text)
    bound = name if default else f"{{ {name} }}"
    # Node takes a module's file name whole; the bundlers behind vitest and jest do without.
    own = f'const {bound} = require("{relative}");\n' if commonjs else f'import {bound} from "{relative}";\n'
    if '"vitest"' in package:
        return SuiteLayout(str(path), "vitest", f'import {{ describe, expect, test }} from "vitest";\n{own}')
    return SuiteLayout(str(path), "jest", own)
