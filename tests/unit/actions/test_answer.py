"""Code out of fences and prose."""

from __future__ import annotations

import pytest

from fimble.actions.answer import code_of, take_apart
from fimble.actions.language import facts_of
from fimble.actions.outcome import ActionRefusedError

PYTHON = facts_of("python")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("```python\nx = 1\n```", "x = 1"),
        ("Sure!\n\n```py\nx = 1\n```\nHope it helps.", "x = 1"),
        ("~~~python\nx = 1\n~~~", "x = 1"),
        ("```\nx = 1\n```", "x = 1"),
        ("```python\nx = 1", "x = 1"),
        ("````python\ns = '```'\n````", "s = '```'"),
        ('```python title="a.py"\nx = 1\n```', "x = 1"),
        ("1. First:\n   ```python\nx = 1\n   ```", "x = 1"),
        ("```bash\npip install x\n```\n```python\nx = 1\n```", "x = 1"),
        ("```python\r\nx = 1\r\n```", "x = 1"),
        ("x = 1", "x = 1"),
        ("```text\nx = 1\n```", "x = 1"),
        ("```python\nx = 1\x00\x07\n```", "x = 1"),
    ],
)
def test_code_is_found(answer, code):
    assert code_of(answer, PYTHON) == code


def test_block_that_defines_the_promised_name_is_taken():
    answer = "```python\nprint(f(1))\n```\nand\n```python\ndef f(x):\n    return x\n```"
    assert code_of(answer, PYTHON, "f") == "def f(x):\n    return x"


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        ("", "empty-answer"),
        (" \n\t", "empty-answer"),
        ("I cannot help with that.", "no-code"),
        ("好的,这个函数需要两个参数。", "no-code"),
        ('```json\n{"a": \n```', "no-code"),
        ("```\n\n```", "no-code"),
    ],
)
def test_answer_without_code_is_refused(answer, refusal):
    with pytest.raises(ActionRefusedError) as caught:
        code_of(answer, PYTHON)
    assert caught.value.refusal.value == refusal


def test_prose_is_what_stands_outside():
    answer = take_apart("Before.\n```go\nx\n```\nAfter.")
    assert (answer.prose, answer.blocks[0].closed) == ("Before.\nAfter.", True)
