"""Facts about the languages that actions know. A table; parsing is in `syntax`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LanguageFacts:
    """One language as actions see it.

    `grammar` is the tree-sitter grammar, empty where the language is only known as text. `query` captures
    @function, @class, @import, @comment and @string. `doc` is the convention of documentation: `docstring`
    (inside the body), `block` (`/** */` above) or a line marker. `indent` is one level where the language has one
    way, empty where it has not.
    """

    language: str
    title: str
    extension: str
    line_comment: str
    grammar: str = ""
    fences: tuple[str, ...] = ()
    query: str = ""
    doc: str = ""
    has_blocks: bool = True
    indent: str = ""


_JAVASCRIPT = """
(function_declaration) @function (generator_function_declaration) @function (method_definition) @function
(lexical_declaration (variable_declarator value: [(arrow_function) (function_expression)])) @function
(class_declaration) @class (import_statement) @import (comment) @comment
(string) @string (template_string) @string
"""
_TYPESCRIPT = _JAVASCRIPT + "(interface_declaration) @class (type_alias_declaration) @class (enum_declaration) @class"
_C = """
(function_definition) @function (struct_specifier body: (_)) @class (preproc_include) @import (comment) @comment
(string_literal) @string
"""

_PYTHON = LanguageFacts(
    "python",
    "Python",
    ".py",
    "#",
    grammar="python",
    fences=("python", "py", "python3"),
    query="""
(function_definition) @function (class_definition) @class
(import_statement) @import (import_from_statement) @import (future_import_statement) @import
(comment) @comment (string) @string
""",
    doc="docstring",
    has_blocks=False,
    indent="    ",
)

_PARSED = (
    _PYTHON,
    LanguageFacts(
        "javascript",
        "JavaScript",
        ".js",
        "//",
        grammar="javascript",
        fences=("javascript", "js", "node", "jsx"),
        query=_JAVASCRIPT,
        doc="block",
        indent="  ",
    ),
    LanguageFacts(
        "typescript",
        "TypeScript",
        ".ts",
        "//",
        grammar="typescript",
        fences=("typescript", "ts", "tsx"),
        query=_TYPESCRIPT,
        doc="block",
        indent="  ",
    ),
    LanguageFacts(
        "typescriptreact",
        "TypeScript",
        ".tsx",
        "//",
        grammar="tsx",
        fences=("tsx", "typescript", "ts"),
        query=_TYPESCRIPT,
        doc="block",
        indent="  ",
    ),
    LanguageFacts(
        "go",
        "Go",
        ".go",
        "//",
        grammar="go",
        fences=("go", "golang"),
        query="""
(function_declaration) @function (method_declaration) @function (type_declaration) @class
(import_declaration) @import (comment) @comment (interpreted_string_literal) @string (raw_string_literal) @string
""",
        doc="//",
        indent="\t",
    ),
    LanguageFacts(
        "rust",
        "Rust",
        ".rs",
        "//",
        grammar="rust",
        fences=("rust", "rs"),
        query="""
(function_item) @function (struct_item) @class (enum_item) @class (trait_item) @class (impl_item) @class
(use_declaration) @import (line_comment) @comment (block_comment) @comment
(string_literal) @string (raw_string_literal) @string
""",
        doc="///",
        indent="    ",
    ),
    LanguageFacts(
        "java",
        "Java",
        ".java",
        "//",
        grammar="java",
        fences=("java",),
        query="""
(method_declaration) @function (constructor_declaration) @function
(class_declaration) @class (interface_declaration) @class (enum_declaration) @class (record_declaration) @class
(import_declaration) @import (line_comment) @comment (block_comment) @comment (string_literal) @string
""",
        doc="block",
    ),
    LanguageFacts("c", "C", ".c", "//", grammar="c", fences=("c", "h"), query=_C, doc="block"),
    LanguageFacts(
        "cpp",
        "C++",
        ".cpp",
        "//",
        grammar="cpp",
        fences=("cpp", "c++", "cc", "cxx", "hpp"),
        query=_C + "(class_specifier body: (_)) @class (raw_string_literal) @string",
        doc="block",
    ),
)

# Known as text only: their answers are not parsed, and the user is told so.
_TEXT = (
    LanguageFacts("ruby", "Ruby", ".rb", "#", fences=("ruby", "rb")),
    LanguageFacts("shellscript", "Bash", ".sh", "#", fences=("bash", "sh", "shell")),
    LanguageFacts("php", "PHP", ".php", "//", fences=("php",)),
    LanguageFacts("csharp", "C#", ".cs", "//", fences=("csharp", "cs", "c#")),
    LanguageFacts("kotlin", "Kotlin", ".kt", "//", fences=("kotlin", "kt")),
    LanguageFacts("swift", "Swift", ".swift", "//", fences=("swift",)),
    LanguageFacts("scala", "Scala", ".scala", "//", fences=("scala",)),
    LanguageFacts("dart", "Dart", ".dart", "//", fences=("dart",)),
    LanguageFacts("lua", "Lua", ".lua", "--", fences=("lua",)),
    LanguageFacts("sql", "SQL", ".sql", "--", fences=("sql",)),
    LanguageFacts("r", "R", ".r", "#", fences=("r",)),
    LanguageFacts("perl", "Perl", ".pl", "#", fences=("perl",)),
)

FACTS = {facts.language: facts for facts in (*_PARSED, *_TEXT)}
FACTS["javascriptreact"] = FACTS["javascript"]
_PLAIN = LanguageFacts("plaintext", "text", ".txt", "#")


def facts_of(language: str) -> LanguageFacts:
    """Give the facts of an LSP language id; an unknown one is plain text."""
    return FACTS.get(language, _PLAIN)


def find_language(name: str) -> LanguageFacts | None:
    """Give the language a person named: an id, a title or a usual short form."""
    wanted = name.strip().lower()
    for facts in FACTS.values():
        if wanted in (facts.language, facts.title.lower(), *facts.fences):
            return facts
    return None
