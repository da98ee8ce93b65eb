"""A converted GGUF file computes what transformers computes from the same file."""

from __future__ import annotations

from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer

from fimble.models.convert_gguf import convert
from tiny_models import write_gguf

CORPUS = [
    "def f(x):\n\treturn x\r\n",
    "🎉👩‍👩‍👧 emoji 🇫🇷",
    "你好，世界。 日本語テキスト 한국어",
    "\r\n\r\n  mixed \t\t ends \r\n",
    "é vs e\u0301, ﬁ, Å",
    "x = 1" + " + 1" * 20_000,
    "\x00\x1f\u2028\u0085 end",
    "don't WE'LL 12345 ___ #!/",
    " " * 50 + "\n" * 20,
    "",
]


def logits_of(folder: Path, ids: list[int]) -> np.ndarray:
    generator = ctranslate2.Generator(str(folder), device="cpu", compute_type="float32")
    names = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokens = [names.id_to_token(i) for i in ids]
    return np.array(generator.forward_batch([tokens], return_log_probs=False))[0]


def reference_logits(path: Path, ids: list[int]) -> np.ndarray:
    model = transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].numpy()


def reference_tokenizer(path: Path) -> transformers.PreTrainedTokenizerBase:
    tokenizer = transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    # Read from GGUF it loses the normalization that the class, like the publisher's tokenizer.json, has.
    tokenizer.backend_tokenizer.normalizer = transformers.Qwen2Tokenizer().backend_tokenizer.normalizer
    assert "NFC" in str(tokenizer.backend_tokenizer.normalizer)
    return tokenizer


@pytest.mark.parametrize("kind", ["F32", "F16", "Q8_0", "Q5_0", "Q4_0", "Q4_1", "Q4_K", "Q6_K"])
def test_qwen2_logits(tmp_path: Path, kind: str) -> None:
    path = write_gguf(tmp_path / "tiny.gguf", kind=kind)
    (folder := tmp_path / "ct2").mkdir()
    convert(path, folder, "float32", "full")
    ids = np.random.default_rng(1).integers(0, 372, 64).tolist()
    expected = reference_logits(path, ids)
    assert np.std(expected) > 0.1
    np.testing.assert_allclose(logits_of(folder, ids), expected, atol=1e-3)


def test_qwen2_logits_with_shared_projection(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "tiny.gguf", tied=True)
    (folder := tmp_path / "ct2").mkdir()
    convert(path, folder, "float32", "full")
    ids = list(range(0, 300, 7))
    np.testing.assert_allclose(logits_of(folder, ids), reference_logits(path, ids), atol=1e-3)


@pytest.mark.parametrize(("kind", "twice_as"), [("Q5_0", "Q8_0"), ("F16", "Q5_0")])
def test_matrix_that_is_stored_twice_is_kept_once_in_its_finer_form(tmp_path: Path, kind: str, twice_as: str) -> None:
    path = write_gguf(tmp_path / "twice.gguf", kind=kind, twice_as=twice_as)
    shared = write_gguf(tmp_path / "shared.gguf", kind=kind, tied=True)
    for source, folder in ((path, tmp_path / "twice"), (shared, tmp_path / "once")):
        folder.mkdir()
        convert(source, folder, "float16", "full")
    assert (tmp_path / "twice/model.bin").stat().st_size == (tmp_path / "once/model.bin").stat().st_size
    ids = list(range(0, 300, 7))
    # The file's own reading uses the coarser form in one of the two places.
    likeness = np.corrcoef(logits_of(tmp_path / "twice", ids).ravel(), reference_logits(path, ids).ravel())[0, 1]
    assert 0.98 < likeness < 1 - 1e-6


def test_llama_logits(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "tiny.gguf", "llama")
    (folder := tmp_path / "ct2").mkdir()
    convert(path, folder, "float32", "full")
    ids = list(range(0, 300, 7))
    np.testing.assert_allclose(logits_of(folder, ids), reference_logits(path, ids), atol=1e-3)


@pytest.mark.parametrize("quantization", ["int8", "int8_float16", "float16"])
def test_quantized_logits_stay_close(tmp_path: Path, quantization: str) -> None:
    path = write_gguf(tmp_path / "tiny.gguf")
    (folder := tmp_path / "ct2").mkdir()
    convert(path, folder, quantization, "full")
    ids = list(range(0, 300, 7))
    expected = reference_logits(path, ids)
    error = np.abs(logits_of(folder, ids) - expected)
    assert error.mean() < 0.05 * expected.std()


def test_int8_weights_are_those_of_ctranslate2s_own_quantization(tmp_path: Path) -> None:
    from ctranslate2.specs.common_spec import LinearSpec

    from fimble.models.convert_weights import quantize_rows

    values = np.random.default_rng(3).normal(size=(64, 96)).astype(np.float32)
    values[5] = 0
    layer = LinearSpec()
    layer.weight = values.copy()
    layer.validate()
    layer.optimize("int8")
    quantized, scales = quantize_rows(values.copy())
    np.testing.assert_array_equal(layer.weight.numpy(), quantized)
    np.testing.assert_allclose(layer.weight_scale.numpy(), scales, rtol=1e-6)


def test_tokens_are_those_of_transformers(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "tiny.gguf")
    (folder := tmp_path / "ct2").mkdir()
    convert(path, folder, "int8", "full")
    ours = Tokenizer.from_file(str(folder / "tokenizer.json"))
    theirs = reference_tokenizer(path)
    for text in CORPUS:
        ids = ours.encode(text).ids
        assert ids == theirs(text, add_special_tokens=False).input_ids, text[:40]
