"""The samples of `fimble demo`."""

from __future__ import annotations

import ast

import pytest

from fimble.cli.demo import sample
from fimble.errors import UsageError


@pytest.mark.parametrize("language", sample.languages())
def test_sample_can_be_typed(language):
    loaded = sample.load(language)
    whole = loaded.before + "".join(step.typed + step.otherwise for step in loaded.steps) + loaded.after
    assert whole.isascii()
    assert all(step.typed and step.otherwise for step in loaded.steps)
    for step in loaded.steps:
        assert "".join(sample.keystrokes(step.typed)) == step.typed


def test_python_sample_is_a_program_without_the_model():
    loaded = sample.load("python")
    tree = ast.parse(loaded.before + "".join(step.typed + step.otherwise for step in loaded.steps) + loaded.after)
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert functions == ["read_words", "count_words", "most_common", "total", "main"]


def test_indentation_comes_with_the_line_end():
    assert sample.keystrokes("a:\n    b c\n\n") == ["a", ":", "\n    ", "b", " ", "c", "\n", "\n"]


def test_unknown_language_names_the_known_ones():
    with pytest.raises(UsageError) as caught:
        sample.load("cobol")
    assert "python" in caught.value.hint
