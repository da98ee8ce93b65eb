"""Whether a GGUF file holds one matrix twice, as embeddings and as output. Compares numbers; converts nothing."""

from __future__ import annotations

import numpy as np

from fimble.models.gguf_file import GgufFile

EMBEDDINGS, OUTPUT = "token_embd.weight", "output.weight"
N_ROWS_COMPARED = 256
DIFFERENCE_MAX = 0.15
"""Relative. The same rows in 5 and in 8 bits differ by 0.044 (Qwen2.5-Coder-0.5B), rows of other matrices by 1.4."""


def shared_matrix(file: GgufFile) -> str | None:
    """Give the tensor that serves as embeddings and as output both, the more precise one of two; None if they differ.

    llama.cpp's converter stores a matrix that a model uses twice a second time when the two get different types.
    Kept apart they take a fifth of a 0.5B's memory for nothing.
    """
    if OUTPUT not in file.tensors:
        return EMBEDDINGS
    embeddings, output = file.tensors[EMBEDDINGS], file.tensors[OUTPUT]
    if embeddings.shape != output.shape:
        return None
    rows = np.unique(np.linspace(0, embeddings.shape[0] - 1, N_ROWS_COMPARED).astype(np.int64))
    ours, theirs = file.rows(EMBEDDINGS, rows), file.rows(OUTPUT, rows)
    scale = float(np.linalg.norm(theirs))
    if not scale or float(np.linalg.norm(ours - theirs)) / scale > DIFFERENCE_MAX:
        return None
    return OUTPUT if output.row_bytes >= embeddings.row_bytes else EMBEDDINGS
