"""Which names the cursor's line has to define, and which a line defines."""

from __future__ import annotations

import pytest

from fimble.postprocess.needed_names import defined_names, needed_names
from fimble.records import CursorWindow


def needed(marked: str, language: str = "python", *, starts_document: bool = True) -> tuple[str, ...]:
    prefix, suffix = marked.split("║")
    return needed_names(CursorWindow(prefix, suffix, language, starts_document=starts_document))


@pytest.mark.parametrize(
    ("marked", "names"),
    [
        ("def f(a):\n    ║\n    for x in a:\n        n += x\n    return n\n", ("n",)),
        ("def f(a):\n║\n    return total + rest\n", ("total", "rest")),
        ("def f(a):\n    ║\n        return a\n", ()),
        ("def f(a):\n    ║\n    return g(a)\n", ()),  # functions are often written after their use
        ("import re\n\ndef f(a):\n    ║\n    return re.sub(a, a, a)\n", ()),
        ("def f(a):\n    ║\n    return re.sub(a, a, a)\n", ("re",)),
        ("def f(a):\n    ║\n    return LIMIT\n\n\nLIMIT = 3\n", ()),
        ("from m import *\n\ndef f(a):\n    ║\n    return total\n", ()),
        ("def f(a):\n    ║\n    return len(a), __name__\n", ()),
        ("def f(a):\n    ║\n    return [b for b in a]\n", ()),
        ("def f(a):\n    def g():\n        ║\n        return n\n    return m\n", ("n",)),
        ("def f(a):\n    ║\n    return (n\n", ()),  # does not parse
        ("def f(a):\n    ║ = 1\n    return n\n", ()),
        ("def f(a):\n    ║\n", ()),
        ("try:\n    pass\nexcept E as e:\n    ║\n    print(e)\n", ()),
        ("match a:\n    case [b, *c]:\n        ║\n        print(b, c)\n", ()),
    ],
)
def test_names_that_nothing_defines(marked: str, names: tuple[str, ...]) -> None:
    assert needed(marked) == names


def test_only_a_counter_is_surely_local_where_the_imports_are_out_of_sight() -> None:
    marked = "def f(a):\n    ║\n    for x in a:\n        n += np.abs(x)\n    return n\n"
    assert needed(marked) == ("n", "np")
    assert needed(marked, starts_document=False) == ("n",)


def test_only_python_is_read() -> None:
    assert needed("def f(a)\n  ║\n  n\nend\n", "ruby") == ()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("    n = 0", {"n"}),
        ("a, (b, c) = d", {"a", "b", "c"}),
        ("for x, y in z:", {"x", "y"}),
        ("import os.path as p, re", {"p", "re"}),
        ("with open(f) as g:", {"g"}),
        ("except E as e:", {"e"}),
        ("def g(a):", {"g", "a"}),
        ("if (n := f()):", {"n"}),
        ("n += 1", set()),
        ("n = [1,", {"n"}),
        ("n == [1,", set()),
        ("", set()),
    ],
)
def test_names_that_a_line_defines(line: str, names: set[str]) -> None:
    assert defined_names(line) == names
