"""VS Code with the real model: the one flow that users see first."""

from __future__ import annotations

import pytest

from editors.script import BELOW, HEAD, RECURSION

ANSWER_LIMIT_S = 20
"""How long one answer of the model may take before it is asked again."""

pytestmark = [pytest.mark.model, pytest.mark.timeout(1800)]


@pytest.fixture
def model_window(window, real_models):
    """The window while the real model answers."""
    window.home.lend_models(real_models)
    window.server.configure({"fimble.engine": "ctranslate2"})
    yield window
    window.server.configure({})
    window.settle()
    window.open("after-model.py", "import os\n")
    window.type(HEAD)
    window.retype_until_ghost(":", BELOW[1])
    window.home.take_models_back()


def test_the_model_completes_a_function(model_window):
    window = model_window
    path = window.open("model.py", RECURSION)
    window.type("    return ")
    window.retype_until_ghost(" ", "fibonacci(n", ANSWER_LIMIT_S)
    ghost = window.ghost
    window.press("Tab")
    window.until_saved(path, RECURSION + "    return " + ghost)
    names = {}
    exec(path.read_text(), names)
    assert names["fibonacci"](10) == 55
