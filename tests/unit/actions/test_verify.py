"""What is looked at before anything is applied."""

from __future__ import annotations

import pytest

from fimble.actions import verify
from fimble.actions.outcome import Draft, Edit
from fimble.actions.verify import parameter_names

BODY = "def f(x):\n    pass\n"


@pytest.fixture
def refusals(place):
    """Give the refusals of a draft that replaces `pass` of a stub."""

    def check(text, before=BODY + "║", **draft):
        where = place(before)
        at = where.text.index("pass")
        edits = (Edit(at, at + 4, text),)
        checks = verify.check(where, Draft(edits=edits, promised=("f",), **draft))
        return [c.refusal.value for c in checks if not c.passed]

    return check


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("return (x", "does-not-parse"),
        ("return x +", "does-not-parse"),
        ("...", "placeholder"),
        ("raise NotImplementedError", "placeholder"),
        ("# your code here\n    return x", "placeholder"),
        ("return x\n    # ... rest of the code", "placeholder"),
        ("x = 1\n    # 省略", "placeholder"),
        ("return undefined_thing(x)", "undefined-name"),
        ("pass", "unchanged"),
        ("pass  ", "unchanged"),
    ],
)
def test_bad_body_is_found_out(refusals, text, refusal):
    assert refusal in refusals(text)


@pytest.mark.parametrize(
    "text",
    [
        "return x",
        "return [i for i in range(x)]",
        "# the remaining code points are kept\n    return x",
        "if x:\n        pass\n    return x",
        "global TOTAL\n    TOTAL = x",
        "return __name__",
    ],
)
def test_good_body_passes(refusals, text):
    assert refusals(text) == []


def test_broken_file_may_stay_as_broken_as_it_was(refusals):
    assert refusals("return x", before="x = (\n\n\n" + BODY + "║") == []


def test_names_that_were_undefined_before_are_not_held_against_it(refusals):
    assert refusals("return x", before="other()\n" + BODY + "║") == []


def test_changed_parameters_are_found_out(refusals):
    assert "signature-changed" in refusals("return x", parameters="(x, y)")
    assert refusals("return x", parameters="(x: int = 3)") == []


@pytest.mark.parametrize(
    ("parameters", "language", "names"),
    [
        ("(self, x: int = 3, *args, **kw)", "python", ["self", "x", "args", "kw"]),
        ("(a, b int, rest ...string)", "go", ["a", "b", "rest"]),
        ("(mut a: Vec<(i32, i32)>, &self)", "rust", ["a", "self"]),
        ("(final Map<String, Integer> m, int[] xs)", "java", ["m", "xs"]),
        ("(const char *s, int a[3])", "c", ["s", "a"]),
        ("(void)", "c", []),
        ("(a: number, b?: string, c = 1)", "typescript", ["a", "b", "c"]),
        ("()", "python", []),
    ],
)
def test_parameter_names(parameters, language, names):
    assert parameter_names(parameters, language) == names


def test_forgotten_import_of_a_well_known_name_is_added(place):
    where = place("import os\n\n\n" + BODY + "║")
    at = where.text.index("pass")
    draft = verify.complete_imports(where, Draft(edits=(Edit(at, at + 4, "return math.sqrt(Counter(x)[0])"),)))
    assert draft.edits[0] == Edit(9, 9, "\nfrom collections import Counter\nimport math")
