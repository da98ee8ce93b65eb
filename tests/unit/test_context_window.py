"""What of a document enters the window, and how its indentation is read."""

from __future__ import annotations

import pytest

from fimble.context.exclusion import excluded_by
from fimble.context.window import cut, indent_of
from fimble.settings import SECRET_GLOBS
from fimble.text.document import DocumentSnapshot


def document(text: str) -> DocumentSnapshot:
    return DocumentSnapshot("file:///a.py", "python", 1, text)


def test_line_ends_become_lf_on_both_sides() -> None:
    window = cut(document("a\r\nb\rc|\r\nd"), 6)
    assert (window.prefix, window.suffix) == ("a\nb\nc", "|\nd")


def test_far_text_is_cut_at_line_borders() -> None:
    text = "first\nsecond\nthird\nfourth\n"
    window = cut(document(text), text.index("third"), prefix_chars_max=9, suffix_chars_max=8)
    assert (window.prefix, window.suffix) == ("second\n", "third")


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("def f():\n    return 1\n", "    "),
        ("function f() {\n  if (a) {\n    b()\n  }\n}\n", "  "),
        ("func f() {\n\tif a {\n\t\tb()\n\t}\n}\n", "\t"),
        ("flat\ntext\n", None),
    ],
)
def test_indent_unit_is_what_the_file_does(text: str, unit: str | None) -> None:
    assert indent_of(text) == unit


def test_editor_says_the_unit_only_where_the_file_does_not() -> None:
    assert cut(document("x\n"), 2, indent_unit="\t").indent_unit == "\t"
    assert cut(document("if x:\n  y\n"), 2, indent_unit="\t").indent_unit == "  "


@pytest.mark.parametrize(
    "path",
    [
        "file:///home/u/project/.env",
        "file:///home/u/project/.env.local",
        "file:///c%3A/Users/u/.ssh/config",
        "file:///srv/tls/server.PEM",
        "file:///x/my-credentials.json",
    ],
)
def test_secret_files_are_excluded(path: str) -> None:
    assert excluded_by(path, SECRET_GLOBS)


@pytest.mark.parametrize("path", ["file:///home/u/environment.py", "file:///x/keys.py", "untitled:Untitled-1"])
def test_ordinary_files_are_not(path: str) -> None:
    assert excluded_by(path, SECRET_GLOBS) is None


def test_star_stays_in_its_folder() -> None:
    assert excluded_by("file:///a/b/c.py", ("/a/*.py",)) is None
    assert excluded_by("file:///a/b/c.py", ("/a/**/*.py",))
