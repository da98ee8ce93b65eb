"""The default model's own file: converted within memory, the publisher's tokens, transformers' logits."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from fimble import manifest as manifests
from fimble.models import download
from fimble.models.convert_gguf import convert, read_vocabulary
from fimble.models.convert_vocabulary import build_tokenizer, cut, ids_kept
from fimble.models.gguf_file import GgufFile
from fimble.models.install import pull
from fimble.models.progress import NoProgress
from fimble.models.store import ModelStore

pytestmark = [pytest.mark.model, pytest.mark.timeout(1800)]

MODEL_ID = "qwen2.5-coder-0.5b"
SERVER = Path(__file__).parents[2] / "server"
PEAK_BYTES_MAX = 2_000_000_000
CORPUS = [
    "def f(x):\n\treturn x\r\n\r\n\tpass\t\t# tabs",
    "🎉👩‍👩‍👧‍👦 emoji 🇫🇷 🏳️‍🌈 \U0001f9d1🏽‍💻",
    "你好，世界。 日本語テキストです 한국어 Ελληνικά العربية",
    "x = 1" + " + 1" * 50_000,
    "a" * 100_000,
    "é vs e\u0301, ﬁ, Å, \u1e9b\u0323",
    "\x00\x1f\u2028\u0085\ufeff end",
    "don't WE'LL they're 1234567 __init__ #!/usr/bin/env\n\n\n\n   \n",
    " " * 83 + "\n" * 29 + "\t" * 17 + "\r" * 3,
    "",
    *(path.read_text(encoding="utf-8") for path in sorted(SERVER.rglob("*.py"))[:20]),
]
PROMPTS = [
    "def fibonacci(n):\n    if n < 2:\n        return n\n    return",
    "<|fim_prefix|>def add(a, b):\n    return <|fim_suffix|>\n\nprint(add(1, 2))\n<|fim_middle|>",
    "// 计算总和 🎉\nfunction sum(xs) {\n\treturn xs.reduce(",
]


@pytest.fixture(scope="module")
def gguf_path() -> Path:
    """The publisher's file, downloaded once into the user's cache directory."""
    store = ModelStore()
    with store.locked(MODEL_ID):
        return download.fetch(manifests.load(MODEL_ID), store.download_dir, download.source_order(), NoProgress())


def test_tokens_are_the_publishers(gguf_path: Path) -> None:
    import transformers

    with GgufFile(gguf_path) as file:
        vocabulary, split_name = read_vocabulary(file)
    ours = build_tokenizer(vocabulary, split_name)
    theirs = transformers.Qwen2Tokenizer(
        vocab={t: i for i, t in enumerate(vocabulary.tokens)}, merges=list(vocabulary.merges)
    )
    for text in CORPUS:
        assert ours.encode(text).ids == theirs(text, add_special_tokens=False).input_ids, text[:40]
        assert ours.decode(ours.encode(text).ids) == unicodedata.normalize("NFC", text)


def test_code_vocabulary_says_the_same_text(gguf_path: Path) -> None:
    with GgufFile(gguf_path) as file:
        vocabulary, split_name = read_vocabulary(file)
    kept = ids_kept(vocabulary, "code")
    assert kept is not None
    small = build_tokenizer(cut(vocabulary, kept), split_name)
    assert 49_152 < small.get_vocab_size() < 55_000
    assert len(small.encode("```python").ids) == len(build_tokenizer(vocabulary, split_name).encode("```python").ids)
    for text in CORPUS:
        assert small.decode(small.encode(text).ids) == unicodedata.normalize("NFC", text)


def test_conversion_stays_within_memory(gguf_path: Path, tmp_path: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path; from fimble.models.convert_gguf import convert; "
        "convert(Path(sys.argv[1]), Path(sys.argv[2]), 'int8', 'full'); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(gguf_path), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(SERVER)},
    )
    # Linux counts in KiB. The mapped file is in it, though the system may take those pages back.
    assert int(done.stdout) * 1024 < PEAK_BYTES_MAX


def test_logits_are_those_of_transformers(gguf_path: Path, tmp_path: Path) -> None:
    import ctranslate2
    import torch
    import transformers

    convert(gguf_path, tmp_path, "float32", "full")
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    generator = ctranslate2.Generator(str(tmp_path), device="cpu", compute_type="float32")
    found = [
        np.array(generator.forward_batch([tokenizer.encode(p).tokens], return_log_probs=False))[0] for p in PROMPTS
    ]
    del generator
    gc.collect()
    model = transformers.AutoModelForCausalLM.from_pretrained(
        gguf_path.parent, gguf_file=gguf_path.name, dtype=torch.float32
    )
    for prompt, logits in zip(PROMPTS, found, strict=True):
        with torch.no_grad():
            expected = model(torch.tensor([tokenizer.encode(prompt).ids])).logits[0].numpy()
        np.testing.assert_allclose(logits, expected, atol=1e-2)


def test_pulled_model_fills_in_the_middle() -> None:
    import ctranslate2

    model = pull(ModelStore(), MODEL_ID)
    tokenizer = Tokenizer.from_file(str(model.path / "tokenizer.json"))
    generator = ctranslate2.Generator(str(model.path), device="cpu")
    prompt = "<|fim_prefix|><|fim_suffix|>\n\nprint(add(1, 2))\n<|fim_middle|>def add(a, b):\n    return"
    result = generator.generate_batch(
        [tokenizer.encode(prompt).tokens], max_length=8, include_prompt_in_result=False, sampling_topk=1
    )
    assert tokenizer.decode(result[0].sequences_ids[0]).startswith(" a + b")
