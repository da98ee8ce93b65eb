from __future__ import annotations

import pytest

from fimble.postprocess.site import Site, Spot, survey
from fimble.records import CursorWindow


def site_of(text: str, language: str = "python") -> Site:
    prefix, suffix = text.split("║")
    return survey(CursorWindow(prefix, suffix, language))


@pytest.mark.parametrize(
    ("text", "spot"),
    [
        ("a\n  ║  \nb", Spot.OWN_LINE),
        ("a\n║b", Spot.ABOVE_LINE),
        ("a\n    ║}", Spot.ABOVE_LINE),
        ("a = ║\nb", Spot.LINE_END),
        ("f(║)", Spot.BEFORE_CLOSERS),
        ('f("║");', Spot.BEFORE_CLOSERS),
        ("f(║a)", Spot.MID_LINE),
        ("if ║ {", Spot.MID_LINE),
    ],
)
def test_spot(text: str, spot: Spot) -> None:
    assert site_of(text).spot is spot


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("f(g(║))", (True, True)),
        ("f(g(║)", (True, False)),
        ("if (a) {\n  if (b) {\n    ║\n  }\n}", (True, True)),
        ("if (a) {\n  if (b) {\n    ║\n}", (False, True)),
        ("if (a) {\n  if (b) {\n    ║\n", (False, False)),
        # The window ends before the closers; the next line is still inside of both blocks.
        ("if (a) {\n  if (b) {\n    ║\n    more();", (True, True)),
        # ... or inside the outer one only.
        ("if (a) {\n  if (b) {\n    ║\n  more();", (False, True)),
        ("f({\n  ║\n});", (True, True)),
    ],
)
def test_which_open_brackets_the_suffix_closes(text: str, closed: tuple[bool, ...]) -> None:
    assert site_of(text, "javascript").closed == closed


@pytest.mark.parametrize(
    ("text", "above", "levels"),
    [
        ("def f():\n    if a:\n        b\n║", "        b", (8, 4, 0)),
        ("def f(\n    a,\n):\n║", "):", (0,)),
        ("def f():\n    x = g(a,\n          b)\n║", "    b)", (4, 0)),
        ("def f():\n    '''Say\n\n  more\n    '''\n║", "    '''", (4, 0)),
        ("def f():\n    a\n# note\n║", "    a", (4, 0)),
        ("║", "", ()),
    ],
)
def test_statement_above(text: str, above: str, levels: tuple[int, ...]) -> None:
    site = site_of(text)
    assert (site.above, site.levels) == (above, levels)


def test_comment_above_is_known() -> None:
    assert site_of("a\n# sum\n║").comment_above
    assert not site_of("a  # sum\n║").comment_above


@pytest.mark.parametrize(
    ("language", "prefix"),
    [
        ("python", '    >>> f(1)\n    2\n    it\'s (so.\n    """\n    x = '),
        ("python", '    more.)"""\n    x = '),
        ("java", "   * it's (so.\n   */\n  int x = "),
    ],
)
def test_a_window_that_begins_inside_a_string_or_comment(language: str, prefix: str) -> None:
    site = survey(CursorWindow(prefix, "\n", language))
    assert site.inside.in_code
    assert site.openers == ()


@pytest.mark.parametrize(
    "prefix",
    [
        'def f():\n    """Say (it\'s).\n\n    More\n',
        '"""Module docs (it\'s)\n',
        "x = '''(it's\n",
        "class A:\n    b = 1\n    '''What b is.\n",
    ],
)
def test_a_string_that_begins_in_the_window(prefix: str) -> None:
    assert survey(CursorWindow(prefix, "\n", "python")).inside.kind == "long string"
