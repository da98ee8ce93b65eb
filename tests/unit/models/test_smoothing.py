"""Outliers are taken out before 8-bit integers are made; in float the model stays the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fimble.models import convert_gguf
from fimble.models.convert_forward import look_through
from fimble.models.convert_gguf import convert, shape_of
from fimble.models.convert_smoothing import FACTOR_LN_MAX, find
from fimble.models.gguf_file import GgufFile
from tiny_models import EPSILON, write_gguf

TEXTS = [list(range(0, 300, 7)), list(range(5, 200, 3))]


def logits_of(folder: Path, ids: list[int]) -> Any:
    import ctranslate2

    generator = ctranslate2.Generator(str(folder), device="cpu")
    return np.array(generator.forward_batch([ids], return_log_probs=False))[0]


def converted(path: Path, folder: Path, quantization: str) -> Path:
    folder.mkdir()
    convert(path, folder, quantization, "full")
    return folder


@pytest.mark.parametrize("architecture", ["qwen2", "llama"])
def test_layers_compute_what_the_engine_computes(tmp_path: Path, architecture: str) -> None:
    path = write_gguf(tmp_path / "tiny.gguf", architecture)
    n_layers = []
    with GgufFile(path) as file:
        hidden = look_through(
            file, shape_of(file.metadata), "token_embd.weight", TEXTS, lambda *_: None, lambda: n_layers.append(1)
        )
        normed = hidden / np.sqrt((hidden**2).mean(axis=1, keepdims=True) + EPSILON)
        logits = normed * file.vector("output_norm.weight") @ file.rows("output.weight", slice(None)).T
    folder = converted(path, tmp_path / "ct2", "float32")
    for ids, found in zip(TEXTS, np.split(logits, [len(TEXTS[0])]), strict=True):
        np.testing.assert_allclose(found[:, : logits_of(folder, ids).shape[1]], logits_of(folder, ids), atol=1e-3)
    assert len(n_layers) == 2


@pytest.mark.parametrize("architecture", ["qwen2", "llama"])
def test_model_stays_the_same_in_float(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, architecture: str) -> None:
    path = write_gguf(tmp_path / "tiny.gguf", architecture, outlier=30.0)
    plain = converted(path, tmp_path / "plain", "float32")
    monkeypatch.setattr(convert_gguf, "SMOOTHED", ("float32",))
    smooth = converted(path, tmp_path / "smooth", "float32")
    assert (plain / "model.bin").read_bytes() != (smooth / "model.bin").read_bytes()
    for ids in TEXTS:
        np.testing.assert_allclose(logits_of(smooth, ids), logits_of(plain, ids), atol=1e-3)


def test_outliers_cost_no_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_gguf(tmp_path / "tiny.gguf", outlier=30.0)
    exact = converted(path, tmp_path / "exact", "float32")
    smooth = converted(path, tmp_path / "smooth", "int8")
    monkeypatch.setattr(convert_gguf, "SMOOTHED", ())
    plain = converted(path, tmp_path / "plain", "int8")
    expected = logits_of(exact, TEXTS[0])
    off = {folder: np.abs(logits_of(folder, TEXTS[0]) - expected).mean() for folder in (smooth, plain)}
    assert off[smooth] < off[plain] / 3


def test_factors_stay_within_bounds_whatever_the_weights_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_gguf(tmp_path / "tiny.gguf", outlier=1e6)
    with GgufFile(path) as file:
        read = file.rows

        def damaged(name: str, selection: Any) -> Any:
            rows = read(name, selection)
            if name == "blk.1.ffn_up.weight":
                rows[0] = np.nan
                rows[1] = 0
            return rows

        monkeypatch.setattr(file, "rows", damaged)
        smoothing = find(file, shape_of(file.metadata), "token_embd.weight", TEXTS, lambda: None)
    factors = np.concatenate(list(smoothing.columns.values()))
    assert len(smoothing.columns) == 2 * 6, "three read what the first norm gives, two the second, one the gate"
    assert np.isfinite(factors).all()
    assert np.abs(np.log(factors)).max() <= FACTOR_LN_MAX + 1e-6
