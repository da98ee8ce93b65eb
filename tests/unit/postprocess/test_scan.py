from __future__ import annotations

import pytest

from fimble.postprocess.language import facts_of
from fimble.postprocess.scan import Inside, indent_columns, scan


def opened(text: str, language: str) -> str:
    return "".join(bracket.char for bracket in scan(text, facts_of(language)).openers)


def closed(text: str, language: str) -> str:
    return "".join(bracket.char for bracket in scan(text, facts_of(language)).closers)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "f(a[", "(["),
        ("python", "f(')', \"]\", '''}\n)''', {", "({"),
        ("python", "f(  # a )\n", "("),
        ("python", "f('it\\'s )', ", "("),
        ("python", "x = 'not closed (\nf(", "("),
        ("javascript", "f(`)\n)`, /[)]\\//g, {", "({"),
        ("javascript", "a = b / c; f(d / e, '(')", ""),
        ("javascript", "/* ( */ f(/\\(/", "("),
        ("rust", "fn f<'a>(x: &'a str) { g(')', '\\'', '\\u{29}', ", "{("),
        ("go", "f(`(\\`, '(', ", "("),
        ("c", "if (c == '\"' || c == '(') {", "{"),
        ("java", 'String s = """\n  ( " \n  """; f(', "("),
        ("sql", "VALUES ('it''s (', ", "("),
        ("lua", "--[[ ( \n ]] f(  -- (", "("),
        ("markdown", "it's (", ""),
        ("shellscript", "case a) b ;; esac", ""),
    ],
)
def test_brackets_left_open(language: str, text: str, expected: str) -> None:
    assert opened(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "a), b]", ")]"),
        ("python", "(a)), [b]", ")"),
        (
            "javascript",
            "f({)}",
            "",
        ),  # the parenthesis also ends what stands open inside it; the brace then is not its own
    ],
)
def test_brackets_closed_that_were_not_opened(language: str, text: str, expected: str) -> None:
    found = closed(text, language)
    assert found == (expected or "}")


@pytest.mark.parametrize(
    ("language", "text", "kind"),
    [
        ("python", "x = 1", ""),
        ("python", "x = 'a", "string"),
        ("python", "x = 1  # a", "line comment"),
        ("python", "x = 1  # a\n", ""),
        ("python", '"""a\nb', "long string"),
        ("c", "/* a\n *", "block comment"),
        ("c", "/* a */", ""),
        ("html", "<!-- a", "block comment"),
        ("html", "<p>it's", ""),
        ("yaml", "a: it's", ""),
    ],
)
def test_inside_what_the_text_ends(language: str, text: str, kind: str) -> None:
    assert scan(text, facts_of(language)).inside.kind == kind


def test_a_string_open_at_the_start_gives_its_quote_as_closer() -> None:
    found = scan('ab\\" c", d)', facts_of("python"), Inside("string", '"'), 'f("')
    assert [(closer.char, closer.offset) for closer in found.closers] == [('"', 6), (")", 10)]
    assert found.inside.in_code


def test_lines_inside_brackets_and_strings_start_no_statement() -> None:
    text = "a\nf(\n  b)\ns = '''\nx\n'''\nc"
    assert scan(text, facts_of("python")).free_lines == (0, 1, 3, 6)
    assert scan("f {\n  a\n  g(\n    b)\n}\n", facts_of("c")).free_lines == (0, 1, 2, 4, 5)


@pytest.mark.parametrize(("line", "columns"), [("", 0), ("  a", 2), ("\ta", 4), (" \ta", 4), ("\t  a", 6), ("    ", 4)])
def test_indent_columns(line: str, columns: int) -> None:
    assert indent_columns(line) == columns
