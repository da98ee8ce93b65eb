"""What is read as an example out of prose, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fimble.actions import examples, prose_examples

READ = [
    ("f(3) == 4", ["x"], [("f(3)", "4")]),
    ("f(3) ➞ 4", ["x"], [("f(3)", "4")]),
    ("f([1, 2], 'a b') -> {'a': 1}", ["x", "y"], [("f([1, 2], 'a b')", "{'a': 1}")]),
    ("For example, f(3) should return 4.", ["x"], [("f(3)", "4")]),
    ("`f(3)` returns `[4, 5]` because it does", ["x"], [("f(3)", "[4, 5]")]),
    ("例如,f(3) 应返回 4。", ["x"], [("f(3)", "4")]),
    ("f(3)\uff1a4", ["x"], [("f(3)", "4")]),
    ("f(“a”) = true", ["x"], [('f("a")', "True")]),
    ("f(2) == 3, f(3) == 4", ["x"], [("f(2)", "3"), ("f(3)", "4")]),
    ("f(100, 1) -> 100 - 1 = 99", ["x", "y"], [("f(100, 1)", "99")]),
    ("f(\n  [1,\n   2]) => [\n  2]", ["x"], [("f(\n  [1,\n   2])", "[\n  2]")]),
    ("Input: [4, 2]\nOutput: 2", ["x"], [("f([4, 2])", "2")]),
    ("输入\uff1ax = 3\uff0cy = 'a'\n输出\uff1a4", ["x", "y"], [("f(x = 3,y = 'a')", "4")]),
    ("For x = [1, 2] the output should be 3", ["x"], [("f(x = [1, 2])", "3")]),
    ("对于 x = 'a  b'\uff0c结果应为 True。", ["x"], [("f(x = 'a  b')", "True")]),
    ("f(3) 应返回 (4\uff0c5)", ["x"], [("f(3)", "(4,5)")]),
    (
        "对于s =“ab”\uff0cc =“a”\uff0c结果应该是\uff08'b'\uff0cFalse\uff09",
        ["s", "c"],
        [('f(s ="ab",c ="a")', "('b',False)")],
    ),
    ("f('你\uff0c好') == '数'", ["x"], [("f('你\uff0c好')", "'数'")]),
    ("- [1, 2] --> 3", ["x"], [("f([1, 2])", "3")]),
    ("(1, 2) → 3", ["x", "y"], [("f(1, 2)", "3")]),
]
AMBIGUOUS = [
    "f(3) returns 3 times the number",
    "f(3) returns [1] or [2]",
    "f(x) == 4",
    "f([1, 2, ...]) == 4",
    "f(3) == [4, ...]",
    "def f(): 3",
    ">>> f(3) == 4",
    "g(f(3)) == 4",
    "other.f(3) == 4",
    "f(2) == 1\nf(2) == 3",
    "Input: 3, 4\nOutput: 2",
    "Input: y = 3\nOutput: 2",
    "It maps 3 -> something",
    "f(3) returns 1, 2",
    "f(3) is a number",
    "f(3) == (4)",
    "f(3) == 4.5.6",
    "f(" * 2_000,
    "f(3) == " + "[" * 2_000,
    "f(3) == [1, " * 3_000,
    "f(1, f(1, " * 3_000,
    "Input: " * 300,
    "for x = 1 " * 300,
]


@pytest.mark.parametrize(("text", "parameters", "wanted"), READ)
def test_reads_what_is_said(text, parameters, wanted):
    found = prose_examples.find(text, "f", parameters)
    assert found == wanted


@pytest.mark.parametrize("text", AMBIGUOUS, ids=lambda text: text[:30])
def test_leaves_what_could_mean_something_else(text):
    assert prose_examples.find(text, "f", ["x"]) == []


def test_prose_needs_a_function_that_can_be_called_by_name():
    text = '"""f(3) == 4"""'
    assert examples.find(text, "def f(x):\n    return x\n", "f", "python")
    assert not examples.find(text, "class A:\n    def f(self, x):\n        return x\n", "f", "python")
    assert not examples.find(text, "def f(:\n", "f", "python")
    assert not examples.find(text, "def f(x):\n    return x\n", "f", "go")


def ran(program, *found):
    return examples.check(program, [examples.Example(*e) for e in found])


def test_each_example_is_judged_by_itself():
    program = "def f(x):\n    if x == 2:\n        raise ValueError\n    return 10 / x\n"
    said = [("f(1)", "10.0", True), ("f(2)", "5.0", True), ("f(3)", "3.33", True), ("f(5)", "2\n"), ("f(5)", "3\n")]
    assert ran(program, *said).agrees == (True, False, True, True, False)


def test_examples_before_an_endless_one_count(monkeypatch):
    monkeypatch.setattr(examples, "LIMITS", replace(examples.LIMITS, cpu_ms=1_000, wall_ms=60_000))
    program = "def f(x):\n    while x:\n        pass\n    return 0\n"
    result = ran(program, ("f(0)", "0", True), ("f(1)", "0", True))
    assert (result.agrees, result.is_blind) == ((True, False), False)


def test_program_of_another_environment_cannot_be_judged():
    assert ran("import a_module_of_the_project\ndef f(x):\n    return x\n", ("f(1)", "1", True)).is_blind
    assert not ran("def f(x):\n    import a_module_of_the_project\n", ("f(1)", "1", True)).is_blind
