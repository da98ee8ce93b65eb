"""Foreign, truncated and self-contradicting GGUF files; the code vocabulary; models without a manifest."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from fimble.errors import ModelError, ModelFilesError, UnsupportedFamilyError, UsageError
from fimble.models import convert_vocabulary
from fimble.models.add import add
from fimble.models.convert_gguf import convert, read_vocabulary
from fimble.models.gguf_file import GgufFile
from fimble.models.install import InstallOptions
from fimble.models.store import ModelStore
from tiny_models import SPECIAL_TOKENS, TRAINING_TEXT, write_gguf


@pytest.fixture
def tiny(tmp_path: Path, tiny_bytes: bytes) -> Path:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(tiny_bytes)
    return path


@pytest.mark.parametrize(
    "content", [b"", b"GG", b"GGUF", b"PK\x03\x04 a zip file", b"GGUF\x63\x00\x00\x00", b"\x00" * 4096]
)
def test_foreign_file(tmp_path: Path, content: bytes) -> None:
    (path := tmp_path / "foreign.gguf").write_bytes(content)
    with pytest.raises(ModelFilesError) as caught:
        GgufFile(path)
    assert "foreign.gguf" in caught.value.message


@pytest.mark.parametrize("share", [0.0001, 0.001, 0.003, 0.01, 0.5, 0.999])
def test_truncated_file(tiny: Path, tmp_path: Path, tiny_bytes: bytes, share: float) -> None:
    tiny.write_bytes(tiny_bytes[: int(len(tiny_bytes) * share)])
    with pytest.raises(ModelFilesError, match="not a whole GGUF file"):
        convert(tiny, tmp_path, "int8", "full")


def test_damaged_headers_raise_only_model_errors(tiny: Path, tiny_bytes: bytes) -> None:
    chance = random.Random(7)
    n_refused = 0
    for _ in range(150):
        damaged = bytearray(tiny_bytes[:30_000])
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(4, 900)] = chance.randrange(256)
        tiny.write_bytes(bytes(damaged) + tiny_bytes[30_000:])
        try:
            with GgufFile(tiny) as file:
                read_vocabulary(file)
        except ModelError:
            n_refused += 1
    assert n_refused > 10


def test_other_architecture_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "other.gguf", "gemma3")
    with pytest.raises(UnsupportedFamilyError, match="gemma3") as caught:
        convert(path, tmp_path, "int8", "full")
    assert "qwen2" in (caught.value.hint or "")


def test_weights_without_a_place_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_gguf(tmp_path / "tiny.gguf")
    raw = path.read_bytes().replace(b"blk.1.ffn_up.weight", b"blk.1.ffn_uq.weight")
    path.write_bytes(raw)
    with pytest.raises(ModelError, match=r"blk\.1\.ffn_up\.weight"):
        convert(path, tmp_path, "int8", "full")


def test_code_vocabulary_is_closed_under_merging(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert_vocabulary, "CODE_RANK_MAX", 300)
    with GgufFile(tiny) as file:
        vocabulary, split_name = read_vocabulary(file)
    kept = convert_vocabulary.ids_kept(vocabulary, "code")
    assert kept is not None
    small = convert_vocabulary.cut(vocabulary, kept)
    assert len(small.tokens) < len(vocabulary.tokens)
    assert {t for t in vocabulary.tokens if len(t) == 1} <= set(small.tokens)
    assert set(SPECIAL_TOKENS) <= set(small.tokens)
    mergeable = {a + b for a, b in small.merges}
    for token in small.tokens:
        assert len(token) == 1 or token in mergeable or token in SPECIAL_TOKENS
    tokenizer = convert_vocabulary.build_tokenizer(small, split_name)
    for text in TRAINING_TEXT:
        assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_code_vocabulary_cuts_the_weights_alike(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ctranslate2
    import numpy as np

    monkeypatch.setattr(convert_vocabulary, "CODE_RANK_MAX", 300)
    logits = {}
    for choice in ("full", "code"):
        (folder := tmp_path / choice).mkdir()
        convert(tiny, folder, "float32", choice)
        generator = ctranslate2.Generator(str(folder), device="cpu")
        names = json.loads((folder / "vocabulary.json").read_text())
        found = np.array(generator.forward_batch([["d", "e", "f", "<|fim_prefix|>"]], return_log_probs=False))[0, -1]
        logits[choice] = dict(zip(names, found.tolist(), strict=True))
    assert len(logits["code"]) < len(logits["full"])
    for token, value in logits["code"].items():
        assert value == pytest.approx(logits["full"][token], abs=1e-4)


def test_padding_is_no_token(tiny: Path, tmp_path: Path) -> None:
    convert(tiny, tmp_path, "int8", "full")
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert tokenizer.token_to_id("[PAD0]") is None
    assert len(json.loads((tmp_path / "vocabulary.json").read_text())) == tokenizer.get_vocab_size() + 6


def test_added_file_with_a_known_hash_is_that_model(store: ModelStore, tiny: Path) -> None:
    renamed = tiny.rename(tiny.with_name("whatever.gguf"))
    assert add(store, str(renamed)).model_id == "tiny"
    assert len(store.manifest("tiny").sources) == 2
    store.verify("tiny")


def test_added_file_is_described_from_itself(store: ModelStore, tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "Some-Llama.gguf", "llama", seed=5)
    model = add(store, str(path), None, InstallOptions(quantization="float32"))
    manifest = store.manifest("Some-Llama")
    assert (model.quantization, manifest.family, manifest.title) == ("float32", "llama", "Tiny random")
    assert (manifest.fim.layout, manifest.fim.middle) == ("psm", "<|fim_middle|>")
    assert manifest.context_tokens == 512
    assert manifest.end_tokens == ("<|endoftext|>", "<|im_end|>")
    with pytest.raises(UsageError, match="is installed"):
        add(store, str(path))
    add(store, str(path), None, InstallOptions(again=True))


@pytest.mark.parametrize("model_id", ["a/b", "..", "", "tiny", "-x"])
def test_ids_that_cannot_be(store: ModelStore, tmp_path: Path, model_id: str) -> None:
    path = write_gguf(tmp_path / "other.gguf", seed=6)
    if model_id == "":
        path = path.rename(tmp_path / " .gguf")
    with pytest.raises(UsageError):
        add(store, str(path), model_id or None)


def test_sources_that_cannot_be(store: ModelStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a file"):
        add(store, "./no/such/place")
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(ModelFilesError, match="is not a GGUF file"):
        add(store, str(tmp_path / "text.txt"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelFilesError, match="not a Hugging Face checkpoint"):
        add(store, str(tmp_path / "folder"))
    with pytest.raises(UsageError, match="code vocabulary"):
        add(store, str(tmp_path / "folder"), None, InstallOptions(vocabulary="code"))


def test_repository_without_safetensors(store: ModelStore, hub) -> None:
    hub.files = {"config.json": b'{"model_type": "llama"}', "pytorch_model.bin": b"pickle"}
    with pytest.raises(ModelError.__mro__[1], match="pickled ones are not read"):
        add(store, "nobody/checkpoint")
    assert not any("pytorch_model" in path for path, _ in hub.asked)
    assert hub.asked[0][0] == "/nobody/checkpoint/resolve/main/config.json"
