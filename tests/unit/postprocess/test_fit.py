from __future__ import annotations

import pytest

from fimble.postprocess.draft import Draft, Place
from fimble.postprocess.fit import Misfit, misfit, written_below
from fimble.records import CursorWindow, Shape


def misfit_of(text: str, language: str = "python") -> Misfit | None:
    prefix, rest = text.split("├")
    shown, suffix = rest.split("┤")
    return misfit(Draft(shown), Place(CursorWindow(prefix, suffix, language), Shape.LINE))


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n├    x = g()┤\n        return x\n",
        "def f():\n    ├for a in b:┤\n    return x\n",
        "def f():\n    ├if a:  # why┤\n\n    return x\n",
        "def f():\n    ├x = g(\n        a)┤\n        return x\n",
        "def f():\n    x = 1\n    ├else:┤\n",
        "def f():\n    ├return 1 1┤\n",
        "def f():\n    ├x = = 2┤\n    return x\n",
        "if a:\n    b()\nelse:\n    c()\n├else:┤\n",
        "if a:\n    b()\nc()\n├elif d:┤\n    e()\n",
        "try:\n    b()\n├else:┤\n    e()\n",
        "def f():\n    ├return 1┤\n    g()\n",
        "for a in b:\n    ├break┤\n    g()\n",
        'def f(a):\n    ├"""Give a┤\n    if a:\n        return a\n',
        "def f(a):\n    ├b = 1┤\n    for x in a:\n        n += x\n    return n\n",
        "def f(a):\n    ├if not a:┤\n        return total\n",
    ],
)
def test_line_that_cannot_stand_there(text: str) -> None:
    assert misfit_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    ├x = g()┤\n    return x\n",
        "def f():\n    ├for a in b:┤\n        return a\n",
        "def f():\n    if a:\n        ├x = g()┤\n    return x\n",
        "def f():\n    ├if a:┤\n",  # the body may be typed next
        "def f():\n    ├x = g(┤\n        a)\n",
        "if a:\n    b()\n├else:┤\n    e()\n",
        "if a:\n    b(\n        c\n    )\n\n├elif d:┤\n    e()\n",
        "for a in b:\n    if a:\n        c()\n    ├else:┤\n        e()\n",
        "try:\n    b()\nexcept E:\n    c()\n├finally:┤\n    e()\n",
        "def f():\n    ├# note┤\n        return x\n",
        "x = g(\n    ├a,┤\n        b)\n",
        "def f(:\n    ├return 1 1┤\n",  # broken before
        "def f():\n    ├match = 1┤\n\nprint 'old'\n",  # broken elsewhere
        "x = ├g()┤\n    return x\n",
        "def f(a):\n    ├return 1┤\n\nf(1)\n",
        "def f(a):\n    if a:\n        ├return 1┤\n    return 2\n",
        'def f(a):\n    ├"""Give a┤\n    that is right."""\n    return a\n',
        'def f(a):\n    ├x = """┤\n',
        "def f(a):\n    ├n = 0┤\n    for x in a:\n        n += x\n    return n\n",
        "def f(a):\n    ├b = 1┤\n    return g(a)\n",
        "from m import *\ndef f(a):\n    ├b = 1┤\n    return total\n",
        "def f(a):\n    ├for total in a:┤\n        return total\n",
    ],
)
def test_line_that_may_stand_there(text: str) -> None:
    assert misfit_of(text) is None


def test_only_where_indentation_makes_blocks() -> None:
    assert misfit_of("{\n  ├x = g();┤\n      y\n}", "javascript") is None


def below(text: str, language: str = "python") -> str:
    prefix, rest = text.split("├")
    shown, suffix = rest.split("┤")
    return written_below(Draft(shown), Place(CursorWindow(prefix, suffix, language), Shape.LINE))


def test_line_that_stands_a_few_lines_below() -> None:
    assert below("def f():\n    ├for item in items:┤\n    first = 1\n\n    for item in items:\n        use(item)\n")
    assert below("function f() {\n  ├return compute(a);┤\n  a = 1;\n  return compute(a);\n}\n", "javascript")


def test_short_lines_comments_and_far_lines_may_repeat() -> None:
    assert not below("def f():\n    ├i += 1┤\n    g()\n    i += 1\n")
    assert not below("def f():\n    ├# as described above┤\n    g()\n    # as described above\n")
    assert not below("├total = compute()┤\n" + "g()\n" * 20 + "total = compute()\n")
    assert not below("def f():\n    x = ├total_of(items)┤\n    total_of(items)\n")


def test_block_behind_the_end_of_this_one_may_say_the_same() -> None:
    assert not below("def f(\n    ├size: tuple[int],┤\n):\n    pass\n\n\ndef g(\n    size: tuple[int],\n):\n    pass\n")
    assert not below("fn f() {\n    ├let total = sum(items);┤\n}\n\nfn g() {\n    let total = sum(items);\n}\n", "rust")
    assert below("def f():\n    if a:\n        ├return compute(a)┤\n    a = 1\n    return compute(a)\n")
    assert below("def f():\n    ├total.append(item)┤\n    for item in items:\n        total.append(item)\n")
