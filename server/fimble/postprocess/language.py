"""What the filters must know of a language to read a few lines of it. No parser, no text: facts only."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace


class Family(enum.Enum):
    """What says where a block ends."""

    INDENTATION = "indentation"
    BRACKETS = "brackets"
    KEYWORDS = "keywords"
    TAGS = "tags"
    PROSE = "prose"


@dataclass(frozen=True, slots=True, eq=False)
class LanguageFacts:
    """Lexical facts of one language; there is one object of each, which caches know by its identity.

    `quotes` delimit strings that end with their line, `long_quotes` strings that may span lines.
    `opener_ends` are the line ends after which a block is expected.
    """

    family: Family
    line_comments: tuple[str, ...] = ()
    block_comments: tuple[tuple[str, str], ...] = ()
    quotes: tuple[str, ...] = ()
    long_quotes: tuple[str, ...] = ()
    opener_ends: tuple[str, ...] = ()
    has_brackets: bool = True
    gap_means_value: bool = False
    """A space after an opener says that the value comes on the same line."""
    ends_at_semicolon: bool = False
    """A statement goes on over lines of any indentation until its semicolon."""
    has_regex_literals: bool = False
    has_char_literals_only: bool = False
    """A single quote is a character literal or, unclosed, a lifetime; never a string."""


_C = LanguageFacts(
    Family.BRACKETS,
    line_comments=("//",),
    block_comments=(("/*", "*/"),),
    quotes=('"', "'"),
    opener_ends=("{", "(", "["),
)
_SCRIPT = replace(_C, long_quotes=("`",), opener_ends=("{", "(", "[", "=>"), has_regex_literals=True)
_JVM = replace(_C, long_quotes=('"""',), opener_ends=("{", "(", "[", "->"))
_PYTHON = LanguageFacts(
    Family.INDENTATION,
    line_comments=("#",),
    quotes=('"', "'"),
    long_quotes=('"""', "'''"),
    opener_ends=(":", "(", "[", "{"),
)
_YAML = LanguageFacts(
    Family.INDENTATION,
    line_comments=("#",),
    quotes=('"',),
    opener_ends=(":", "|", ">", "-", "{", "["),
    gap_means_value=True,
)
_SHELL = LanguageFacts(
    Family.KEYWORDS,
    line_comments=("#",),
    long_quotes=('"', "'"),
    opener_ends=("{", "(", "then", "do", "else"),
    has_brackets=False,  # `case` patterns close what nothing opened
)
_RUBY = LanguageFacts(
    Family.KEYWORDS, line_comments=("#",), quotes=('"', "'"), opener_ends=("{", "(", "[", "do", "then", "else", "|")
)
_LUA = LanguageFacts(
    Family.KEYWORDS,
    line_comments=("--",),
    block_comments=(("--[[", "]]"),),
    quotes=('"', "'"),
    opener_ends=("{", "(", "then", "do", "else", "repeat"),
)
_SQL = LanguageFacts(
    Family.KEYWORDS,
    line_comments=("--",),
    block_comments=(("/*", "*/"),),
    quotes=('"',),
    long_quotes=("'",),
    opener_ends=("(", "BEGIN", "AS", "begin", "as", "SELECT", "select"),
    ends_at_semicolon=True,
)
_TAGS = LanguageFacts(Family.TAGS, block_comments=(("<!--", "-->"),), has_brackets=False)
_PROSE = LanguageFacts(Family.PROSE, has_brackets=False)
_UNKNOWN = LanguageFacts(Family.BRACKETS, quotes=('"',), opener_ends=("{", "(", "["))

_FACTS: dict[str, LanguageFacts] = {
    "python": _PYTHON,
    "cython": _PYTHON,
    "starlark": _PYTHON,
    "yaml": _YAML,
    "dockercompose": _YAML,
    "shellscript": _SHELL,
    "shell": _SHELL,
    "bash": _SHELL,
    "sh": _SHELL,
    "zsh": _SHELL,
    "ruby": _RUBY,
    "lua": _LUA,
    "sql": _SQL,
    "rust": replace(_C, has_char_literals_only=True, opener_ends=("{", "(", "[", "=>", "->")),
    "go": replace(_C, long_quotes=("`",)),
    "java": _JVM,
    "kotlin": _JVM,
    "scala": _JVM,
    "swift": _JVM,
    "dart": replace(_C, long_quotes=('"""', "'''")),
    "php": replace(_C, line_comments=("//", "#")),
    "r": replace(_UNKNOWN, line_comments=("#",), quotes=('"', "'")),
    "toml": replace(_UNKNOWN, line_comments=("#",), quotes=('"', "'"), long_quotes=('"""', "'''")),
    "json": _UNKNOWN,
    "jsonc": replace(_UNKNOWN, line_comments=("//",), block_comments=(("/*", "*/"),)),
    "css": replace(_C, line_comments=()),
    "scss": _C,
    "less": _C,
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact", "jsx", "tsx"), _SCRIPT),
    **dict.fromkeys(("c", "cpp", "csharp", "objective-c", "objective-cpp", "cuda-cpp", "proto", "glsl"), _C),
    **dict.fromkeys(("html", "xml", "vue", "svelte", "xhtml", "handlebars"), _TAGS),
    **dict.fromkeys(("markdown", "plaintext", "latex", "tex", "restructuredtext", "git-commit", "text"), _PROSE),
}


def facts_of(language: str) -> LanguageFacts:
    """Give the facts of an LSP language id; an unknown one is read as a bracket language without comments.

    Source: the language ids of the LSP 3.18 specification, `TextDocumentItem`.
    """
    return _FACTS.get(language, _UNKNOWN)
