"""Hand weights to CTranslate2's writer one at a time, quantized on the way. Knows no file format and no family."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ctranslate2.specs.model_spec import Variable

QUANTIZATIONS = ("int8", "int8_float16", "float16", "float32")
BLOCK_ROWS = 2048
"""Rows that are decoded at once: bounds the float32 copy to some tens of MB for rows of a few thousand weights."""

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class RowSource:
    """A matrix that is read in pieces: `read(start, stop)` gives those rows as float32."""

    n_rows: int
    n_columns: int
    read: Callable[[int, int], npt.NDArray[np.float32]]


class StreamedVariable(Variable):  # type: ignore[misc]  # ctranslate2 has no stubs
    """A model variable that is computed when the writer asks for its bytes and forgotten afterwards."""

    def __init__(self, shape: tuple[int, ...], dtype_name: str, make: Callable[[], Array]) -> None:
        self._shape, self._dtype_name, self._make = shape, dtype_name, make

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def dtype(self) -> str:
        return self._dtype_name

    def numpy(self) -> Array:
        return self._make()

    def num_bytes(self) -> int:
        return int(np.prod(self._shape)) * np.dtype(self._dtype_name).itemsize

    def to_bytes(self) -> memoryview:
        # A view, not `bytes`: the largest float32 matrix would otherwise be in memory twice.
        return np.ascontiguousarray(self._make()).data.cast("B")

    def _to(self, dtype: str) -> StreamedVariable:
        return StreamedVariable(self._shape, dtype, lambda: self._make().astype(dtype))

    def _equal(self, other: object) -> bool:
        return self is other


def join(sources: Sequence[RowSource]) -> RowSource:
    """Stack matrices of the same width."""
    starts = np.cumsum([0, *(s.n_rows for s in sources)])

    def read(start: int, stop: int) -> npt.NDArray[np.float32]:
        parts = []
        for source, first in zip(sources, starts, strict=False):
            low, high = max(start - first, 0), min(stop - first, source.n_rows)
            if low < high:
                parts.append(source.read(int(low), int(high)))
        return np.concatenate(parts)

    return RowSource(int(starts[-1]), sources[0].n_columns, read)


def set_weight(layer: Any, source: RowSource, quantization: str) -> None:
    """Give a linear or embedding layer its weight (and scales), to be computed at writing."""
    shape = (source.n_rows, source.n_columns)
    if not quantization.startswith("int8"):
        layer.weight = StreamedVariable(shape, quantization, lambda: _collect(source, quantization))
        return
    pending: list[Array] = []

    def weight() -> Array:
        values, scales = _collect_int8(source)
        pending[:] = [scales]
        return values

    def scale() -> Array:
        # `weight` sorts before `weight_scale`, so its pass has left the scales here.
        return pending.pop() if pending else _collect_int8(source)[1]

    layer.weight = StreamedVariable(shape, "int8", weight)
    layer.weight_scale = StreamedVariable((source.n_rows,), "float32", scale)


def vector(values: npt.NDArray[np.float32], quantization: str) -> Array:
    """Give a bias or norm in the type that CTranslate2 keeps beside weights of this quantization."""
    return values.astype(np.float16) if quantization.endswith("float16") else values


def quantize_rows(values: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Quantize each row symmetrically to 8 bits; `values` is overwritten.

    Shapes: (n, m) → (n, m) and scales (n,), value ≈ quantized / scale.
    Source: OpenNMT/CTranslate2: python/ctranslate2/specs/model_spec.py, `_quantize`.
    """
    largest = np.maximum(values.max(axis=1), -values.min(axis=1))
    largest[largest == 0] = 127.0
    largest = np.maximum(largest, np.float32(127) / np.finfo(np.float32).max)
    scales = (np.float32(127.0) / largest).astype(np.float32)
    values *= scales[:, None]
    np.rint(values, out=values)
    return values.astype(np.int8), scales


def _collect(source: RowSource, dtype_name: str) -> Array:
    result = np.empty((source.n_rows, source.n_columns), np.dtype(dtype_name))

    def fill(start: int) -> None:
        stop = min(start + BLOCK_ROWS, source.n_rows)
        result[start:stop] = source.read(start, stop)

    _each_block(source.n_rows, fill)
    return result


def _collect_int8(source: RowSource) -> tuple[Array, Array]:
    values = np.empty((source.n_rows, source.n_columns), np.int8)
    scales = np.empty(source.n_rows, np.float32)

    def fill(start: int) -> None:
        stop = min(start + BLOCK_ROWS, source.n_rows)
        values[start:stop], scales[start:stop] = quantize_rows(source.read(start, stop))

    _each_block(source.n_rows, fill)
    return values, scales


def _each_block(n_rows: int, work: Callable[[int], None]) -> None:
    """Run `work` for each block; NumPy releases the GIL, so a few threads share the cores."""
    n_threads = min(4, os.cpu_count() or 1)
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(work, range(0, n_rows, BLOCK_ROWS)))
