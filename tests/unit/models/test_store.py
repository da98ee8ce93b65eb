"""What the store hands out, and what it says of damaged folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from fimble.errors import ModelFilesError, ModelNotInstalledError, UnknownModelError
from fimble.models.install import InstallOptions, pull
from fimble.models.store import ModelStore, default_root


@pytest.fixture
def filled(store: ModelStore, hub) -> ModelStore:
    pull(store, "tiny", InstallOptions(source_order=("hub",)))
    return store


def test_root_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIMBLE_DATA_DIR", "/somewhere/else")
    assert default_root() == Path("/somewhere/else")
    monkeypatch.delenv("FIMBLE_DATA_DIR")
    assert default_root().parts[-2:] == ("fimble", "models")


def test_empty_store(store: ModelStore) -> None:
    assert store.installed() == []
    with pytest.raises(ModelNotInstalledError):
        store.path("tiny")
    with pytest.raises(ModelNotInstalledError):
        store.remove("tiny")


@pytest.mark.parametrize("model_id", ["nope", "../tiny", "", ".staging", "a/b"])
def test_id_that_no_model_has(store: ModelStore, model_id: str) -> None:
    with pytest.raises(UnknownModelError):
        store.path(model_id)


def test_installed_model(filled: ModelStore) -> None:
    assert [m.model_id for m in filled.installed()] == ["tiny"]
    assert filled.path("tiny") == filled.root / "tiny"
    assert filled.manifest("tiny").end_tokens == ("<|endoftext|>",)
    assert filled.get("tiny").n_bytes > 1_000_000


def test_newer_shipped_manifest_of_the_same_file_holds(filled: ModelStore, catalogue: Path) -> None:
    path = catalogue / "tiny.toml"
    path.write_text(path.read_text().replace('["<|endoftext|>"]', '["<|endoftext|>", "<|im_end|>"]'))
    assert filled.manifest("tiny").end_tokens == ("<|endoftext|>", "<|im_end|>")
    path.write_text(path.read_text().replace('sha256 = "', 'sha256 = "0'))
    assert filled.manifest("tiny").end_tokens == ("<|endoftext|>",)


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json", "config.json", "vocabulary.json"])
def test_missing_file(filled: ModelStore, name: str) -> None:
    (filled.root / "tiny" / name).unlink()
    with pytest.raises(ModelFilesError, match=f"`{name}` of model `tiny` is missing"):
        filled.path("tiny")
    assert filled.installed() == []
    assert list(filled.damaged()) == ["tiny"]


def test_truncated_file_is_seen_without_reading_it(filled: ModelStore) -> None:
    with (filled.root / "tiny" / "model.bin").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(ModelFilesError, match="has 1000 bytes, expected"):
        filled.path("tiny")


@pytest.mark.parametrize(
    "text", ["", "not toml [", 'id = "tiny"', "[installed]\nfiles = 3", "\x00\x01", 'id = 3\ntitle = ["x"]']
)
def test_foreign_record(filled: ModelStore, text: str) -> None:
    (filled.root / "tiny" / "fimble.toml").write_text(text)
    with pytest.raises(ModelFilesError):
        filled.get("tiny")
    assert filled.installed() == []


def test_folder_of_another_model(filled: ModelStore) -> None:
    (filled.root / "tiny").rename(filled.root / "other")
    with pytest.raises(ModelFilesError, match="belongs to the model `tiny`"):
        filled.get("other")


def test_damaged_model_is_pulled_anew(filled: ModelStore) -> None:
    (filled.root / "tiny" / "model.bin").unlink()
    pull(filled, "tiny", InstallOptions(source_order=("hub",)))
    filled.verify("tiny")


def test_death_between_the_two_renames_keeps_the_old_model(filled: ModelStore) -> None:
    (filled.root / "tiny").rename(filled.root / ".staging" / "tiny.replaced")
    with filled.locked("tiny"):
        pass
    filled.verify("tiny")


def test_remove_takes_the_download_along(filled: ModelStore) -> None:
    pull(filled, "tiny", InstallOptions(source_order=("hub",), again=True, keep_download=True))
    assert list(filled.download_dir.iterdir())
    filled.remove("tiny")
    assert not filled.has("tiny")
    assert list(filled.download_dir.iterdir()) == []


def test_failed_block_leaves_no_folder(store: ModelStore) -> None:
    with pytest.raises(RuntimeError), store.locked("tiny"), store.staged("tiny") as staging:
        (staging / "model.bin").touch()
        raise RuntimeError
    assert not (store.root / "tiny").exists()
    assert list((store.root / ".staging").iterdir()) == []
