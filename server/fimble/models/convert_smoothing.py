"""Takes outliers out of what a model's matrices are fed, before the matrices become 8-bit integers.

On a processor CTranslate2 also turns what a matrix is fed into 8-bit integers, a token at a time by its largest number:
a few columns that are always large leave the others a few steps. So each column is divided by a factor in what makes
it (the norm, or the matrix before) and multiplied by it in the matrix that reads it. In float the model stays the same.

Source: Xiao et al. 2023, SmoothQuant (arXiv 2211.10438), equation 4. Changed: a mean of eighth powers in place of the
maximum, which a few hundred tokens know too badly where most columns are near zero; and less than half where there is
no norm. Measured (Qwen2.5-Coder-0.5B, 6,144 tokens of Python and JavaScript that play no part here): the divergence
from the float model goes from 0.0109 to 0.006 (server/bench/README.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from fimble.models.convert_forward import Floats, Shape, look_through
from fimble.models.gguf_file import GgufFile

NORM_EXPONENT = 0.5
"""How much of the unevenness is moved into the matrix, behind a norm."""
GATED_EXPONENT = 0.3
"""The same in the network's middle, where single tokens have single large numbers: more only makes the matrix worse."""
POWER = 8
FACTOR_LN_MAX = float(np.log(64.0))
"""Keeps factors in what 16-bit floats hold well, also for columns that no text here makes live."""
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Smoothing:
    """By tensor: what its columns are multiplied by, and what its rows (or a vector's numbers) are divided by."""

    columns: dict[str, Floats] = field(default_factory=dict)
    rows: dict[str, Floats] = field(default_factory=dict)

    def matrix(self, name: str, values: Floats, start: int, stop: int) -> Floats:
        """Smooth the rows from `start` to `stop` of a matrix; `values` is overwritten."""
        if name in self.columns:
            values *= self.columns[name]
        if name in self.rows:
            values /= self.rows[name][start:stop, None]
        return values

    def vector(self, name: str, values: Floats) -> Floats:
        """Smooth a norm or a bias."""
        return values / self.rows[name] if name in self.rows else values


def find(
    file: GgufFile, shape: Shape, embeddings: str, texts: Sequence[Sequence[int]], on_layer: Callable[[], None]
) -> Smoothing:
    """Run the model over token ids and give the factors. `on_layer` is called behind each layer. Errors: KeyError."""
    smoothing = Smoothing()

    def look(behind: str, names: tuple[str, ...], fed: Floats, weights: Floats) -> None:
        exponent = NORM_EXPONENT if behind.endswith("_norm.weight") else GATED_EXPONENT
        factors = _factors(fed, weights, exponent)
        smoothing.columns.update(dict.fromkeys(names, factors))
        smoothing.rows.update(dict.fromkeys((behind, behind.removesuffix(".weight") + ".bias"), factors))

    # A damaged file's numbers may be anything; they are converted as they are.
    with np.errstate(all="ignore"):
        look_through(file, shape, embeddings, texts, look, on_layer)
    return smoothing


def _factors(fed: Floats, weights: Floats, exponent: float) -> Floats:
    """Give one factor a column: large where what is fed is larger than others, small where the matrix is.

    Shapes: (tokens, width), (rows, width) → (width,).
    """
    largest = np.abs(fed).max() or 1.0
    live = np.mean((np.abs(fed) / largest) ** POWER, axis=0) ** (1 / POWER)
    read = np.abs(weights).max(axis=0)
    factors_ln = exponent * (np.log(np.maximum(live, TINY)) - np.log(np.maximum(read, TINY)))
    factors_ln -= factors_ln.mean()
    factors = np.exp(np.clip(factors_ln, -FACTOR_LN_MAX, FACTOR_LN_MAX))
    return np.where(np.isfinite(factors), factors, 1.0).astype(np.float32)
