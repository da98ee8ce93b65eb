"""Neovim 0.11 with the real model: the one flow that users see first."""

from __future__ import annotations

import pytest

from editors.script import RECURSION
from editors.tools import until

pytestmark = [pytest.mark.model, pytest.mark.timeout(1800)]


def test_the_model_completes_a_function(start_neovim, home, real_models, tmp_path):
    home.use_models(real_models)
    nvim = start_neovim()
    nvim.open(tmp_path / "a.py", RECURSION + "    return\n")
    nvim.keys("GA ")
    until(lambda: "fibonacci(n" in nvim.ghost[0], "the model's ghost text", lambda: (nvim.ghost, nvim.text))
    assert "return fibonacci(n" in nvim.screen[3]
    nvim.keys("<Tab>")
    until(lambda: "fibonacci(n" in nvim.text[3], "it is taken", lambda: nvim.text)
    names = {}
    exec("\n".join(nvim.text), names)
    assert names["fibonacci"](10) == 55
