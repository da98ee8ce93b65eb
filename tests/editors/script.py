"""What the engine answers in the one VS Code that all tests share: each test's text asks for its own answer."""

from __future__ import annotations

HEAD = "def add(a, b):"
BODY = "\n    total = a + b\n    return total\n"
BELOW = ("    total = a + b", "    return total")

# One list a test; an earlier answer hides a later one whose `when` also stands in the prompt.
SCRIPT: dict[str, list[dict[str, object]]] = {
    "bracket": [{"when": "def multiply(", "text": "a, b):"}],
    "alternatives": [{"when": "price =", "text": " base"}],
    "wide": [{"when": "# wide", "text": " 値 + 😀x"}],
    "untitled": [{"when": "shopping list", "text": ": milk"}],
    "body": [{"when": HEAD, "text": BODY}],
}
