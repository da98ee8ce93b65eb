"""`fimble bench` where it cannot measure."""

from __future__ import annotations

from pathlib import Path

import pytest

from fimble.cli.main import main


@pytest.mark.parametrize("bench", ["memory", "engine"])
def test_model_that_is_not_installed_is_named(
    bench: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("FIMBLE_DATA_DIR", str(tmp_path))
    assert main(["bench", bench]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "qwen2.5-coder-0.5b" in captured.err
