"""Strategies for text that looks like code: what matters to the filters comes often."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from fimble.records import CursorWindow, Shape, StopReason

LANGUAGES = (
    "python",
    "javascript",
    "typescript",
    "go",
    "rust",
    "java",
    "c",
    "cpp",
    "html",
    "markdown",
    "shellscript",
    "yaml",
    "sql",
    "ruby",
    "lua",
    "json",
    "unheard-of",
)
_PIECES = (
    *("\n", "\n", "\n    ", "\n        ", "\n\t", "\n\n", "    ", " ", "\t", "  "),
    *("(", ")", "[", "]", "{", "}", '"', "'", "`", '"""', "'''", "\\", "/", ":", ";", ",", ".", "=", "<", ">"),
    *("#", "//", "/*", "*/", "--", "<!--", "-->", "```", "<|endoftext|>", "<fim_middle>"),
    *("x", "total", "compute", "return", "return total / 2", "if a:", "def f():", "class A:", "else:", "end", "fi"),
    *("} else {", "});", "</div>", "<div>", "0, ", "=> {", "\r\n", "\r", "\u2028", "\x0c", "é", "😀", "数"),
)
code = st.lists(st.sampled_from(_PIECES), max_size=30).map("".join)
lf_code = code.map(lambda text: text.replace("\r\n", "\n").replace("\r", "\n"))
lines = st.lists(
    st.builds(
        lambda lead, body: lead + body,
        st.sampled_from(("", "    ", "        ", "\t")),
        st.sampled_from(
            ("a = 1", "total = compute()", "if a:", "return total", "}", "foo(", ")", "", "end", "x(a, b)")
        ),
    ),
    max_size=10,
).map("\n".join)
answers = st.one_of(code, lines, st.builds(lambda text, n: text * n, code, st.integers(1, 4)))
windows = st.builds(
    CursorWindow,
    prefix=st.one_of(lf_code, lines),
    suffix=st.one_of(lf_code, lines),
    language=st.sampled_from(LANGUAGES),
    indent_unit=st.sampled_from(("    ", "  ", "\t")),
    tab_width_columns=st.sampled_from((2, 4, 8)),
)
shapes = st.sampled_from(Shape)
stop_reasons = st.sampled_from(StopReason)

few = settings(max_examples=max(25, settings.default.max_examples // 20))
"""One answer here exercises what twenty edits do in the document store's tests, and takes as long."""
