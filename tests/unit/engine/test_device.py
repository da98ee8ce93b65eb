"""Which device runs the model: a GPU that can be used, else the processor, and never in silence."""

from __future__ import annotations

import ctypes
import dataclasses
import sys
from pathlib import Path

import pytest

from fimble.app import SCRIPTED_MANIFEST
from fimble.cli.doctor_checks import gpu
from fimble.cli.doctor_finding import Verdict
from fimble.engine import device as devices
from fimble.engine.contract import GenerationRequest
from fimble.engine.ct2_backend import CTranslate2Backend
from fimble.engine.device import Device, card_names, choose
from fimble.errors import EngineError, ModelFilesError
from fimble.models.convert_gguf import convert
from fimble.records import FimPrompt
from tiny_models import write_gguf


class Driver:
    """NVIDIA's driver library with these cards; a call named in `failing` gives CUDA's error 999."""

    def __init__(self, names: list[str], failing: str = "") -> None:
        self.names, self.failing = names, failing

    def __getattr__(self, name: str):
        if name == self.failing:
            return lambda *_: 999
        return getattr(self, f"_{name}")

    def _cuInit(self, flags: int) -> int:
        return 0

    def _cuDeviceGetCount(self, count) -> int:
        count._obj.value = len(self.names)
        return 0

    def _cuDeviceGet(self, handle, number: int) -> int:
        handle._obj.value = number
        return 0

    def _cuDeviceGetName(self, buffer, n_bytes: int, handle) -> int:
        buffer.value = self.names[handle.value].encode()
        return 0


@pytest.fixture
def machine(monkeypatch):
    """Gives what sets the machine's cards and whether cuBLAS can be loaded."""

    def set_up(cards: list[str], cublas: bool) -> None:
        monkeypatch.setattr(devices, "cards", lambda: tuple(cards))
        monkeypatch.setattr(devices, "has_cublas", lambda: cublas)

    return set_up


def test_cards_by_name():
    assert card_names(Driver(["One", "Two"])) == ("One", "Two")
    assert card_names(Driver([])) == ()
    assert card_names(Driver(["One"], failing="cuDeviceGetName")) == ("a GPU without a name",)


@pytest.mark.parametrize("failing", ["cuInit", "cuDeviceGetCount", "cuDeviceGet"])
def test_driver_that_fails_has_no_cards(failing):
    assert card_names(Driver(["One"], failing)) == ()


@pytest.mark.parametrize(
    ("cards", "cublas", "wanted", "device"),
    [
        ([], False, "auto", Device("cpu")),
        ([], True, "auto", Device("cpu")),
        (["One"], True, "auto", Device("cuda", "One")),
        (["One"], True, "cuda", Device("cuda", "One")),
        (["One"], True, "cpu", Device("cpu")),
        (["One"], False, "auto", Device("cpu", "One", devices.NO_CUBLAS)),
    ],
)
def test_choice(machine, cards, cublas, wanted, device):
    machine(cards, cublas)
    assert choose(wanted) == device


@pytest.mark.parametrize(("cards", "says"), [([], "no GPU"), (["One"], "cuBLAS 12 is not there")])
def test_gpu_that_is_wanted_and_cannot_be_had(machine, cards, says):
    machine(cards, False)
    with pytest.raises(EngineError, match=says) as caught:
        choose("cuda")
    assert caught.value.hint


def test_cublas_of_a_wheel_is_found(monkeypatch, tmp_path):
    folder = tmp_path / "nvidia" / "cublas" / ("bin" if devices.ON_WINDOWS else "lib")
    folder.mkdir(parents=True)
    for name in devices.CUBLAS_NAMES:
        (folder / name).touch()
    loaded = []

    def load(name: str) -> None:
        if Path(name).parent != folder:
            raise OSError(f"{name}: cannot open shared object file")
        loaded.append(Path(name).name)

    monkeypatch.setattr(ctypes, "CDLL", load)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "nvidia", raising=False)
    assert devices.has_cublas.__wrapped__()
    assert loaded == list(devices.CUBLAS_NAMES), "the one that the other needs comes first"


def test_doctor_names_the_gpu_that_is_not_used(machine):
    machine(["One"], False)
    found = gpu(["int8"])
    assert (found.verdict, "One" in found.detail, "cublas" in found.hint) == (Verdict.WARN, True, True)
    machine(["One"], True)
    assert (gpu(["int8"]).verdict, gpu(["int8"]).detail) == (Verdict.OK, "One: int8")


@pytest.fixture
def model(tmp_path):
    """A tiny converted model's folder."""
    path = write_gguf(tmp_path / "tiny.gguf")
    (folder := tmp_path / "ct2").mkdir()
    convert(path, folder, "int8", "full")
    return folder


def backend_on(model: Path, device: str) -> CTranslate2Backend:
    return CTranslate2Backend(model, dataclasses.replace(SCRIPTED_MANIFEST, end_tokens=()), device=device)


@pytest.mark.skipif(bool(devices.cards()), reason="needs a machine on which CUDA fails")
def test_gpu_that_fails_leaves_the_work_to_the_processor(machine, model, caplog):
    machine(["One"], True)
    backend = backend_on(model, "auto")
    backend.load()
    [row] = backend.run(GenerationRequest(FimPrompt((), (1, 2, 3)), 2), lambda *_: False)
    assert len(row.ids) == 2
    assert "One" in caplog.text
    assert "not the GPU" in caplog.text


def test_gpu_gets_floats_and_what_was_saved_where_it_has_none(machine, model, monkeypatch):
    import ctranslate2

    asked = []
    generator = ctranslate2.Generator

    def made(path: str, device: str, compute_type: str, **how):
        asked.append((device, compute_type))
        if compute_type == "float16":
            raise ValueError("Requested float16 compute type, but the target device does not support it")
        return generator(path, device="cpu", compute_type=compute_type, **how)

    monkeypatch.setattr(ctranslate2, "Generator", made)
    machine(["One"], True)
    backend_on(model, "auto").load()
    assert asked == [("cuda", "float16"), ("cuda", "default")]


@pytest.mark.skipif(bool(devices.cards()), reason="needs a machine on which CUDA fails")
def test_gpu_that_fails_and_was_asked_for_is_an_error(machine, model):
    machine(["One"], True)
    with pytest.raises(EngineError, match="cannot run on the GPU \\(One\\)") as caught:
        backend_on(model, "cuda").load()
    assert "doctor" in (caught.value.hint or "")


def test_damaged_weights_are_not_taken_for_a_device_that_fails(model):
    (model / "model.bin").write_bytes(b"not a model")
    with pytest.raises(ModelFilesError):
        backend_on(model, "auto").load()
