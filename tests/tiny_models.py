"""Small random models and their files, made afresh in each test. No network and no weights of anyone."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

WIDTH, N_LAYERS, N_HEADS, N_HEADS_KV, FFN_WIDTH = 256, 2, 4, 2, 512
EPSILON = 1e-5
ROTARY_BASE = 500_000.0
SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
)
N_PADDING = 6
OUTLIERS = slice(3, 6)
TRAINING_TEXT = [
    "def add(a, b):\n    return a + b\n",
    "for i in range(10):\n    print(i, 'naïve café', 42)\n",
    "class Node:\n    def __init__(self, value):\n        self.value = value\n",
    "你好，世界。这是一个测试。\n" * 3,
    "let x = 3.14; // 🎉 done 🎉\r\n\treturn x;\r\n",
] * 4
K_QUANTS = {"Q4_K": (144, slice(0, 4)), "Q6_K": (210, slice(208, 210))}
"""Bytes of a block of 256 weights, and where its half-precision scales lie. Source: ggml: src/ggml-common.h."""


def trained_bpe() -> tuple[list[str], list[str]]:
    """Give tokens and merges of a small byte-level BPE whose ids are in merge order."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(TRAINING_TEXT, trainer)
    ids = tokenizer.get_vocab()
    import json

    merges = [" ".join(m) for m in json.loads(tokenizer.to_str())["model"]["merges"]]
    return sorted(ids, key=ids.__getitem__), merges


def write_gguf(
    path: Path,
    architecture: str = "qwen2",
    kind: str = "F32",
    *,
    tied: bool = False,
    seed: int = 0,
    twice_as: str | None = None,
    outlier: float = 1.0,
) -> Path:
    """Write a random model whose matrices are stored as `kind`; the embeddings a second time `twice_as`, as output.

    A few columns behind the layers' norms are `outlier` times as large as the others, and read as much less.
    """
    random = np.random.default_rng(seed)
    tokens, merges = trained_bpe()
    padding = [f"[PAD{i}]" for i in range(N_PADDING)]
    types = [1] * len(tokens) + [3] * len(SPECIAL_TOKENS) + [5] * len(padding)
    everything = [*tokens, *SPECIAL_TOKENS, *padding]
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("Tiny random")
    writer.add_block_count(N_LAYERS)
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(FFN_WIDTH)
    writer.add_head_count(N_HEADS)
    writer.add_head_count_kv(N_HEADS_KV)
    writer.add_rope_freq_base(ROTARY_BASE)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_vocab_size(len(everything))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(everything)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(everything.index("<|endoftext|>"))
    writer.add_bos_token_id(everything.index("<|endoftext|>"))

    def matrix(name: str, n_rows: int, n_columns: int, outlier: float = 1.0) -> None:
        _add_matrix(writer, random, name, (n_rows, n_columns), kind, outlier)

    def vector(name: str, n_values: int, center: float, outlier: float = 1.0) -> None:
        values = random.normal(center, 0.1, n_values)
        values[OUTLIERS] *= outlier
        writer.add_tensor(name, values.astype(np.float32))

    if twice_as:
        again = np.random.default_rng()
        again.bit_generator.state = random.bit_generator.state
        _add_matrix(writer, again, "output.weight", (len(everything), WIDTH), twice_as)
    matrix("token_embd.weight", len(everything), WIDTH)
    if not tied and not twice_as:
        matrix("output.weight", len(everything), WIDTH)
    vector("output_norm.weight", WIDTH, 1.0)
    head_width = WIDTH // N_HEADS
    for i in range(N_LAYERS):
        scope = f"blk.{i}."
        vector(scope + "attn_norm.weight", WIDTH, 1.0, outlier)
        vector(scope + "ffn_norm.weight", WIDTH, 1.0, outlier)
        for part, n_heads in (("q", N_HEADS), ("k", N_HEADS_KV), ("v", N_HEADS_KV)):
            matrix(f"{scope}attn_{part}.weight", n_heads * head_width, WIDTH, outlier)
            if architecture == "qwen2":
                vector(f"{scope}attn_{part}.bias", n_heads * head_width, 0.0)
        matrix(scope + "attn_output.weight", WIDTH, WIDTH)
        matrix(scope + "ffn_gate.weight", FFN_WIDTH, WIDTH, outlier)
        matrix(scope + "ffn_up.weight", FFN_WIDTH, WIDTH, outlier)
        matrix(scope + "ffn_down.weight", WIDTH, FFN_WIDTH)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_matrix(
    writer: gguf.GGUFWriter,
    random: np.random.Generator,
    name: str,
    shape: tuple[int, int],
    kind: str,
    outlier: float = 1.0,
) -> None:
    n_rows, n_columns = shape
    if kind in K_QUANTS:
        # The library writes no K-quants: any bytes are one, if the block's scales are small numbers.
        block_bytes, scales_at = K_QUANTS[kind]
        blocks = random.integers(0, 256, (n_rows * n_columns // 256, block_bytes), dtype=np.uint8)
        n_scales = (scales_at.stop - scales_at.start) // 2
        scales = random.uniform(1e-4, 3e-4, (len(blocks), n_scales)).astype(np.float16)
        blocks[:, scales_at] = scales.view(np.uint8)
        raw = blocks.reshape(n_rows, -1)
        writer.add_tensor(name, raw, raw_dtype=gguf.GGMLQuantizationType[kind])
        return
    values = random.normal(0, 0.08, shape).astype(np.float32)
    values[:, OUTLIERS] /= outlier
    if kind == "F32":
        writer.add_tensor(name, values)
    elif kind == "F16":
        writer.add_tensor(name, values.astype(np.float16))
    else:
        quantized = gguf.quants.quantize(values, gguf.GGMLQuantizationType[kind])
        writer.add_tensor(name, quantized, raw_dtype=gguf.GGMLQuantizationType[kind])
