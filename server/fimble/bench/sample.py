"""Text to measure with, and times added up. Deterministic; reads only fimble's own source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import fimble
from fimble.metrics import nearest_rank

_BLOCK = """def convert_{n}(values: list[int], factor: int = {n}) -> list[int]:
    result = []
    for value in values:
        if value % factor == 0:
            result.append(value // factor)
        else:
            result.append(value * factor + {n})
    total = sum(result)
    return [item - total for item in result]

"""


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, over `n` samples."""

    n: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


def times(samples_ms: Sequence[float]) -> Times:
    """Add up samples, of which there is at least one."""
    ordered = sorted(samples_ms)
    p50_ms, p95_ms, p99_ms = (round(nearest_rank(ordered, share), 3) for share in (0.5, 0.95, 0.99))
    return Times(len(ordered), p50_ms, p95_ms, p99_ms, round(ordered[-1], 3))


def made_up_document(n_lines: int) -> str:
    """Give a Python file of `n_lines` lines, the same each time."""
    n_blocks = n_lines // _BLOCK.count("\n") + 1
    lines = "".join(_BLOCK.format(n=n) for n in range(1, n_blocks + 1)).split("\n")
    return "\n".join(lines[:n_lines]) + "\n"


def real_code() -> str:
    """Give real source code of some hundred lines: fimble's own."""
    root = Path(fimble.__file__).parent
    return "".join((root / name).read_text(encoding="utf-8") for name in ("options.py", "manifest.py", "records.py"))
