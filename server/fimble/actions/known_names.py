"""Which import binds a well-known name of a standard library. Tables and look-ups; places nothing."""

from __future__ import annotations

import re
import sys
import typing

_TYPING = frozenset(n for n in typing.__all__ if n[0].isupper())
_PYTHON = {
    **dict.fromkeys(("Counter", "defaultdict", "deque", "OrderedDict", "namedtuple"), "collections"),
    **dict.fromkeys(("reduce", "lru_cache", "cache", "partial", "wraps"), "functools"),
    **dict.fromkeys(("combinations", "permutations", "product", "groupby", "accumulate"), "itertools"),
    **dict.fromkeys(("datetime", "timedelta"), "datetime"),
    "dataclass": "dataclasses",
    "Path": "pathlib",
    "Decimal": "decimal",
    "Fraction": "fractions",
}
_GO = {
    **{n: n for n in ("bufio", "bytes", "errors", "fmt", "io", "math", "os", "reflect", "regexp", "slices", "sort")},
    **{n: n for n in ("strconv", "strings", "sync", "testing", "time", "unicode")},
    "rand": "math/rand",
    "json": "encoding/json",
    "filepath": "path/filepath",
}
_RUST = dict.fromkeys(
    ("HashMap", "HashSet", "BTreeMap", "BTreeSet", "VecDeque", "BinaryHeap"), "std::collections"
) | dict.fromkeys(("Rc",), "std::rc")
_JAVA = dict.fromkeys(
    ("ArrayDeque", "ArrayList", "Arrays", "Collections", "Comparator", "Deque", "HashMap", "HashSet", "Iterator"),
    "java.util",
) | dict.fromkeys(
    ("LinkedList", "List", "Map", "Objects", "Optional", "PriorityQueue", "Queue", "Set", "Stack", "TreeMap"),
    "java.util",
) | dict.fromkeys(("Collectors", "IntStream", "Stream"), "java.util.stream")  # fmt: skip
# Strings and comments name things without using them.
_NOT_CODE = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`|//[^\n]*|/\*[\s\S]*?\*/")


def python_imports(names: frozenset[str]) -> list[str]:
    """Give the imports for undefined names: a standard module, a name of `typing` and the like."""
    found: list[str] = []
    for name in sorted(names):
        if name in _PYTHON:
            found.append(f"from {_PYTHON[name]} import {name}")
        elif name in _TYPING:
            found.append(f"from typing import {name}")
        elif name in sys.stdlib_module_names and not name.startswith("_"):
            found.append(f"import {name}")
    return found


def imports_for(code: str, language: str, bound: set[str]) -> list[str]:
    """Give the imports of Go, Rust or Java that `code` needs; `bound` are names the file has already.

    A name the code binds itself (a variable `sort`, a class `Stack`) needs none.
    """
    text = _NOT_CODE.sub(" ", code)
    if language == "go":
        used = set(re.findall(r"(?<![\w.])(\w+)\.[A-Z]", text))
        own = set(re.findall(r"\b(\w+)(?:\s*,\s*\w+)*\s*:=|\bvar\s+(\w+)|[(,]\s*(\w+)\s+[*\[\w]", text))
        local = {name for names in own for name in names}
        return [f'import "{_GO[n]}"' for n in sorted(used & set(_GO) - bound - local)]
    if language == "rust":
        used = set(re.findall(r"(?<![\w:])([A-Z]\w+)(?=\s*(?:::|<))", text))
        return [f"use {_RUST[n]}::{n};" for n in sorted(used & set(_RUST) - bound)]
    if language == "java":
        used = set(re.findall(r"(?<![\w.])([A-Z]\w+)\b", text))
        return [f"import {_JAVA[n]}.{n};" for n in sorted(used & set(_JAVA) - bound) if _JAVA[n] not in bound]
    return []
