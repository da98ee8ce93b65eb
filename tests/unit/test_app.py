"""What the composition root puts together."""

from __future__ import annotations

from pathlib import Path

from fimble import manifest as manifests
from fimble.app import Application
from fimble.models.store import ModelStore
from fimble.settings import Settings


def test_model_that_is_pulled_later_is_asked_in_its_own_layout(tmp_path: Path) -> None:
    app = Application(Settings(model="qwen2.5-coder-0.5b"), store=ModelStore(tmp_path))
    assert app.completion.manifest == manifests.load("qwen2.5-coder-0.5b")
    assert app.actions.manifest == manifests.load("qwen2.5-coder-0.5b")
