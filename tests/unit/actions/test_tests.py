"""Where tests go, in which framework, and what happens to a file that is there already."""

from __future__ import annotations

import pytest

from fimble.actions.outcome import apply_edits
from fimble.actions.testing_layout import layout_of

ADD = "def add(a,║ b):\n    return a + b\n"
ANSWER = "add():\n    assert add(1, 2) == 3\n```\n"


def written(ran):
    (file,) = ran.result.files
    return file.path, apply_edits(file.old_text or "", file.edits)


async def test_new_file_in_the_projects_test_folder(act, files):
    workspace = files(folders={"/project/tests"})
    ran = await act("tests", ADD, ANSWER, uri="file:///project/src/pkg/calc.py", workspace=workspace)
    text = "from pkg.calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
    assert written(ran) == ("/project/tests/test_calc.py", text)


async def test_existing_file_is_added_to_and_no_test_replaced(act, files):
    old = "from calc import sub\n\n\ndef test_add():\n    assert sub(2, 1) == 1\n"
    workspace = files({"/project/test_calc.py": old})
    ran = await act("tests", ADD, ANSWER, uri="file:///project/calc.py", workspace=workspace)
    path, text = written(ran)
    assert path == "/project/test_calc.py"
    assert text == (
        "from calc import sub\nfrom calc import add\n\n\ndef test_add():\n    assert sub(2, 1) == 1\n"
        "\n\ndef test_add_2():\n    assert add(1, 2) == 3\n"
    )


async def test_tested_function_is_not_copied_and_used_imports_come_along(act, files):
    answer = (
        "add():\n    with pytest.raises(TypeError):\n        add(1, None)\n\n\ndef add(a, b):\n    return 3\n\n\n"
        "if __name__ == '__main__':\n    pytest.main()\n```\n"
    )
    ran = await act("tests", ADD, answer, uri="file:///project/calc.py", workspace=files())
    _, text = written(ran)
    assert text.startswith("import pytest\n\nfrom calc import add\n")
    assert "def add" not in text and "__main__" not in text


async def test_answer_without_a_test_is_refused(act, files):
    ran = await act("tests", ADD, "helper", uri="file:///project/calc.py", workspace=files())
    assert ran.refusal in ("no-tests", "does-not-parse") and not ran.result.files


async def test_document_without_a_file_is_refused(act):
    assert (await act("tests", ADD, ANSWER, uri="untitled:1")).refusal == "not-here"


async def test_rust_tests_join_the_module_that_is_there(act):
    text = (
        "fn add(a: i32,║ b: i32) -> i32 {\n    a + b\n}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n"
        "    #[test]\n    fn old() {}\n}\n"
    )
    ran = await act("tests", text, "adds() {\n        assert_eq!(add(1, 2), 3);\n    }\n}\n```\n", language="rust")
    assert ran.new.count("mod tests") == 1 and ran.new.count("#[test]") == 2
    assert ran.new.endswith(
        "    fn old() {}\n\n    #[test]\n    fn adds() {\n        assert_eq!(add(1, 2), 3);\n    }\n}\n"
    )


@pytest.mark.parametrize(
    ("name", "language", "text", "package", "path", "framework", "start"),
    [
        ("a.ts", "typescript", "export function f() {}", '{"vitest": 1}', "a.test.ts", "vitest", '{ f } from "./a"'),
        ("a.ts", "typescript", "export default function f() {}", "", "a.test.ts", "jest", 'f from "./a"'),
        ("a.js", "javascript", "module.exports = { f }", "", "a.test.js", "jest", 'require("./a")'),
        ("a.go", "go", "package p\n", "", "a_test.go", "Go", "package p"),
    ],
)
def test_layouts(files, name, language, text, package, path, framework, start):
    workspace = files({"/project/package.json": package})
    layout = layout_of(f"/project/{name}", language, "f", text, workspace)
    assert layout.path == f"/project/{path}"
    assert framework in layout.framework and start in layout.start
