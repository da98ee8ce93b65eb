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


JAVA = "package shop;\n\npublic class Basket {\n    static int one(int║ x) {\n        return x;\n    }\n}\n"
JAVA_ANSWER = (
    "returnsIt() {\n        assertEquals(1, Basket.one(1));\n    }\n\n"
    "    @Test\n    void again() {\n        assertEquals(2, Basket.one(2));\n    }\n}\n```\n"
)
JAVA_URI = "file:///project/src/main/java/shop/Basket.java"


async def test_java_tests_are_a_class_of_junit_in_the_test_tree(act, files):
    ran = await act("tests", JAVA, JAVA_ANSWER, language="java", uri=JAVA_URI, workspace=files())
    path, text = written(ran)
    assert path == "/project/src/test/java/shop/BasketTest.java"
    assert text == (
        "package shop;\n\nimport static org.junit.jupiter.api.Assertions.*;\nimport org.junit.jupiter.api.Test;\n\n"
        "class BasketTest {\n\n    @Test\n    void returnsIt() {\n        assertEquals(1, Basket.one(1));\n    }\n\n"
        "    @Test\n    void again() {\n        assertEquals(2, Basket.one(2));\n    }\n}\n"
    )


async def test_java_tests_follow_the_build_files_framework(act, files):
    workspace = files({"/project/pom.xml": "<artifactId>junit</artifactId>"})
    ran = await act("tests", JAVA, JAVA_ANSWER, language="java", uri=JAVA_URI, workspace=workspace)
    assert "import org.junit.Test;" in written(ran)[1] and "JUnit 4" in ran.prompts[0]


@pytest.mark.parametrize("end_of_line", ["\n", "\r\n"])
async def test_java_tests_go_into_a_class_that_is_there(act, files, end_of_line):
    old = "package shop;\n\nclass BasketTest {\n    @Test\n    void again() {\n    }\n}\n".replace("\n", end_of_line)
    workspace = files({"/project/src/test/java/shop/BasketTest.java": old})
    ran = await act("tests", JAVA, JAVA_ANSWER, language="java", uri=JAVA_URI, workspace=workspace)
    text = written(ran)[1]
    assert text.startswith(old[: old.rindex("}")]) and text.endswith(f"}}{end_of_line}}}{end_of_line}")
    assert text.count("@Test") == 3 and "void again2() {" in text
    assert end_of_line == "\n" or text.count("\n") == text.count("\r\n")


async def test_java_answer_without_a_test_is_refused(act, files):
    ran = await act("tests", JAVA, "(\n```\n", language="java", uri=JAVA_URI, workspace=files())
    assert ran.refusal and not ran.result.files


@pytest.mark.parametrize("language", ["c", "cpp", "ruby"])
async def test_language_without_tests_says_which_there_are(act, language):
    ran = await act("tests", "int one(int║ x) {\n    return x;\n}\n", "x", language=language)
    assert ran.refusal == "not-here" and "Java" in ran.result.hint
