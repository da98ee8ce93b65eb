"""What is offered where."""

from __future__ import annotations

import pytest

from fimble.actions.catalogue import ACTIONS, offers


@pytest.fixture
def offered(place):
    def names(text, language="python", **more):
        return [o.action for o in offers(place(text, language, **more))]

    return names


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("# 实现一个计算两个数字之和的函数。║\n", "python"),
        ("# Add two numbers\n║", "python"),
        ("// Add two║ numbers\n", "go"),
        ("/* Add two║ numbers */\n", "java"),
        ("/**\n * Add two║ numbers\n */\n", "typescript"),
        ('def f(x):\n    """Square x."""║\n', "python"),
        ("def f(x):\n    pass║\n", "python"),
        ("# Square x.║\ndef f(x):\n    raise NotImplementedError\n", "python"),
        ("fn f(x: i32) -> i32 {\n    todo!()║\n}\n", "rust"),
        ("function f(x) {║\n}\n", "javascript"),
        ("class A {\n  f(x) {║}\n}\n", "javascript"),
        ("int f(int x) {║\n}\n", "c"),
        ("# Sum the║ numbers\n", "ruby"),
    ],
)
def test_code_is_offered_where_it_is_asked_for(offered, text, language):
    assert "function" in offered(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("#║\n", "python"),
        ("# TODO║\n", "python"),
        ("#!/usr/bin/env python║\n", "python"),
        ("# noqa: E501 and more║\n", "python"),
        ("# 好║\n", "python"),
        ("# Square x.║\ndef f(x):\n    return x * x\n", "python"),
        ("x = 1║\n", "python"),
        ('s = """\n# Add two numbers║\n"""\n', "python"),
        ("", "python"),
    ],
)
def test_code_is_not_offered_elsewhere(offered, text, language):
    assert "function" not in offered(text if "║" in text else text + "║", language)


def test_function_gets_the_actions_for_functions(offered):
    names = offered("def f(x):\n    return║ x\n")
    assert {"document", "tests", "optimise", "simplify", "review", "explain", "translate"} <= set(names)
    assert "fix" not in names and "edit" not in names


def test_problem_gets_a_fix(offered):
    assert offered("def f(x):\n    return║ y\n", problem="undefined name 'y'")[0] == "fix"


def test_marked_comment_asks_for_a_change_of_what_is_below(offered):
    assert offered("# fimble: use a list║\ndef f(x):\n    return x\n")[0] == "edit"
    assert offered("# fimble: 写║\n") == ["function"]


def test_test_function_gets_no_tests(offered):
    assert "tests" not in offered("def test_f():\n    assert║ True\n")


def test_model_without_chat_is_offered_what_it_can_do(place):
    names = [o.action for o in offers(place("# Add two numbers.║\n"), has_chat=False)]
    assert names == ["function"]


def test_kinds_are_of_the_protocol():
    for action in ACTIONS:
        assert action.kind.startswith(("refactor.rewrite.fimble.", "quickfix.fimble", "source.fimble."))


def test_variable_within_a_function_is_no_function(place):
    where = place("function f(x) {\n  let total =║ 0;\n  return total;\n}\n", "typescript")
    assert where.function.name == "f"
