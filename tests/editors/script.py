"""What the engine answers in the one VS Code that all tests share: each test's text asks for its own answer."""

from __future__ import annotations

HEAD = "def add(a, b):"
BODY = "\n    total = a + b\n    return total\n"
BELOW = ("    total = a + b", "    return total")

COMMENT = "# 实现一个计算两个数字之和的函数。\n"
FUNCTION = "def add(a, b):\n    return a + b\n"
BROKEN = "function half(x) {\n  return x /;\n}\n"
FIXED = "function half(x) {\n  return x / 2;\n}\n"

RECURSION = "def fibonacci(n):\n    if n < 2:\n        return n\n"
"""What the real model goes on with, of which there is one way only."""

# One list a test; an earlier answer hides a later one whose `when` also stands in the prompt.
SCRIPT: dict[str, list[dict[str, object]]] = {
    "long": [{"when": "# endless", "text": "def endless():\n" + "    go_on()\n" * 2000, "token_ms": 20}],
    "comment": [{"when": COMMENT.strip(), "text": f"{FUNCTION}```\n"}],
    "fix": [{"when": "return x /;", "text": f"Its right side is missing.\n\n```javascript\n{FIXED}```\n"}],
    "bracket": [{"when": "def multiply(", "text": "a, b):"}],
    "alternatives": [{"when": "price =", "text": " base"}],
    "wide": [{"when": "# wide", "text": " 値 + 😀x"}],
    "untitled": [{"when": "shopping list", "text": ": milk"}],
    "body": [{"when": HEAD, "text": BODY}],
}
