"""A model that an older fimble converted still serves, and the doctor says how to get the better one."""

from __future__ import annotations

from pathlib import Path

import pytest

from fimble.cli import doctor_checks
from fimble.cli.doctor_finding import Verdict
from fimble.models.add import add
from fimble.models.install import InstallOptions
from fimble.models.record import CONVERTER_VERSION, RECORD_NAME
from fimble.models.store import ModelStore
from fimble.settings import Settings


@pytest.fixture
def installed(store: ModelStore, tmp_path: Path, tiny_bytes: bytes) -> Path:
    (file := tmp_path / "other.gguf").write_bytes(tiny_bytes)
    add(store, str(file))
    return file


def found(store: ModelStore) -> list[tuple[Verdict, str]]:
    [model] = store.installed()
    settings = Settings(model=model.model_id)
    return [(finding.verdict, finding.hint) for finding in doctor_checks.models(store, settings, deep=False)]


def test_model_of_this_converter_is_fine(store: ModelStore, installed: Path) -> None:
    [model] = store.installed()
    assert (model.converter_version, model.is_outdated) == (CONVERTER_VERSION, False)
    assert found(store) == [(Verdict.OK, "")]


@pytest.mark.parametrize("line", ["", "converter_version = 1\n"])
def test_model_of_an_older_converter_is_named_and_mended(store: ModelStore, installed: Path, line: str) -> None:
    [model] = store.installed()
    record = model.path / RECORD_NAME
    newest = f"converter_version = {CONVERTER_VERSION}\n"
    assert newest in record.read_text(encoding="utf-8")
    record.write_text(record.read_text(encoding="utf-8").replace(newest, line), encoding="utf-8")
    [(verdict, hint)] = found(store)
    assert verdict is Verdict.WARN
    assert "--force" in hint
    add(store, str(installed), options=InstallOptions(again=True))
    assert found(store) == [(Verdict.OK, "")]


def test_shipped_model_is_pulled_again() -> None:
    assert doctor_checks.again("qwen2.5-coder-0.5b") == "run `fimble models pull qwen2.5-coder-0.5b --force`"
