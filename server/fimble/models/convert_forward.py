"""Runs a GGUF model's layers over a few tokens in NumPy, to see what its matrices are fed. No output, no cache.

One layer's weights are in memory at a time. Knows the layouts that `convert_gguf` knows.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fimble.models.gguf_file import GgufFile

Floats = npt.NDArray[np.float32]
Look = Callable[[str, tuple[str, ...], Floats, Floats], None]
"""Gets the tensor behind which matrices stand, their names, what they are fed (tokens, width), and them, stacked."""
MASKED = np.float32(-1e30)


@dataclass(frozen=True, slots=True)
class Shape:
    """The numbers that lay out the network. `interleaved`: neighbours are rotated together, not the two halves."""

    n_layers: int
    n_heads: int
    n_heads_kv: int
    head_width: int
    model_width: int
    epsilon: float
    rotary_base: float
    interleaved: bool


def look_through(
    file: GgufFile,
    shape: Shape,
    embeddings: str,
    texts: Sequence[Sequence[int]],
    look: Look,
    on_layer: Callable[[], None],
) -> Floats:
    """Run all layers over the token ids of `texts`; `on_layer` is called behind each. Errors: KeyError.

    Shapes: gives what the last layer leaves, (tokens of all texts, model width).
    """
    hidden = file.rows(embeddings, np.concatenate([np.asarray(ids, dtype=np.int64) for ids in texts]))
    bounds = np.cumsum([0, *map(len, texts)])
    for n_layer in range(shape.n_layers):
        scope = f"blk.{n_layer}."
        hidden += _attention(file, shape, scope, hidden, bounds, look)
        hidden += _network(file, shape, scope, hidden, look)
        on_layer()
    return hidden


def _attention(file: GgufFile, shape: Shape, scope: str, hidden: Floats, bounds: Any, look: Look) -> Floats:
    norm = scope + "attn_norm.weight"
    fed = _normed(hidden, file.vector(norm), shape.epsilon)
    mixed = _product(file, fed, norm, tuple(f"{scope}attn_{part}.weight" for part in "qkv"), look)
    n_query, n_key = shape.n_heads * shape.head_width, shape.n_heads_kv * shape.head_width
    queries, keys, values = np.split(mixed, [n_query, n_query + n_key], axis=1)
    result = np.empty((len(hidden), n_query), np.float32)
    for start, stop in itertools.pairwise(bounds):
        part = slice(start, stop)
        result[part] = _attended(shape, queries[part], keys[part], values[part])
    return result @ file.rows(scope + "attn_output.weight", slice(None)).T + _bias(file, scope + "attn_output.weight")


def _attended(shape: Shape, queries: Floats, keys: Floats, values: Floats) -> Floats:
    def heads(rows: Floats, n_heads: int) -> Floats:
        return rows.reshape(len(rows), n_heads, shape.head_width).transpose(1, 0, 2)

    n_shared = shape.n_heads // shape.n_heads_kv
    query = _rotated(heads(queries, shape.n_heads), shape)
    key = np.repeat(_rotated(heads(keys, shape.n_heads_kv), shape), n_shared, axis=0)
    value = np.repeat(heads(values, shape.n_heads_kv), n_shared, axis=0)
    scores = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(shape.head_width))
    scores += np.triu(np.full(scores.shape[1:], MASKED), 1)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    scores /= scores.sum(axis=-1, keepdims=True)
    return np.asarray((scores @ value).transpose(1, 0, 2).reshape(len(queries), -1), dtype=np.float32)


def _network(file: GgufFile, shape: Shape, scope: str, hidden: Floats, look: Look) -> Floats:
    norm, gate_name, up_name = (f"{scope}ffn_{part}.weight" for part in ("norm", "gate", "up"))
    fed = _normed(hidden, file.vector(norm), shape.epsilon)
    gate, up = np.split(_product(file, fed, norm, (gate_name, up_name), look), 2, axis=1)
    gated = gate / (1 + np.exp(-np.clip(gate, -80, 80))) * up
    return _product(file, gated, up_name, (scope + "ffn_down.weight",), look)


def _product(file: GgufFile, fed: Floats, behind: str, names: tuple[str, ...], look: Look) -> Floats:
    weights = np.concatenate([file.rows(name, slice(None)) for name in names])
    look(behind, names, fed, weights)
    return np.asarray(fed @ weights.T + np.concatenate([_bias(file, name) for name in names]), dtype=np.float32)


def _bias(file: GgufFile, name: str) -> Floats:
    bias = name.removesuffix(".weight") + ".bias"
    return file.vector(bias) if bias in file.tensors else np.zeros(file.tensors[name].shape[0], np.float32)


def _normed(hidden: Floats, gamma: Floats, epsilon: float) -> Floats:
    rms = np.sqrt(np.mean(hidden * hidden, axis=1, keepdims=True) + np.float32(epsilon))
    return np.asarray(hidden / rms * gamma, dtype=np.float32)


def _rotated(heads: Floats, shape: Shape) -> Floats:
    n_pairs = shape.head_width // 2
    angles = np.arange(heads.shape[1])[:, None] * shape.rotary_base ** (-np.arange(n_pairs) / n_pairs)
    cos, sin = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    first, second = (
        (heads[..., ::2], heads[..., 1::2]) if shape.interleaved else (heads[..., :n_pairs], heads[..., n_pairs:])
    )
    # The order of the pairs does not matter: queries and keys get the same.
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)
