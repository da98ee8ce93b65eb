"""Which model `auto` is: of those installed, the largest that is quick enough here. Pure; looks nothing up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fimble.engine.figures import Figures


@dataclass(frozen=True, slots=True)
class Candidate:
    """One installed model; `figures` if it was measured here."""

    model_id: str
    n_weights_bytes: int
    figures: Figures | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The model to run, and why it is that one."""

    model_id: str
    reason: str


def choose(candidates: Sequence[Candidate], target_ms: float, default_id: str, n_bytes_max: int) -> Choice:
    """Give the largest model whose lines are there within the target.

    One that was not measured is expected to take as much longer than a measured one as its weights are larger: decoding
    reads all of them for each token. While none was measured, and where none holds the target, it is the default one,
    or the smallest if that is not installed.
    """
    by_size = sorted(candidates, key=lambda c: (c.n_weights_bytes, c.model_id))
    if not by_size:
        return Choice(default_id, "no model is installed")
    ids = [candidate.model_id for candidate in by_size]
    fallback = default_id if default_id in ids else ids[0]
    measured = [candidate for candidate in by_size if candidate.figures is not None]
    if not measured:
        return Choice(fallback, "no model was measured yet")
    for candidate in reversed(by_size):
        line_ms = _line_ms(candidate, measured)
        if candidate.n_weights_bytes <= n_bytes_max and line_ms <= target_ms:
            how = "was measured to take" if candidate.figures else "is expected to take"
            return Choice(candidate.model_id, f"the largest that holds {target_ms:.0f} ms: a line {how} {line_ms:.0f}")
    return Choice(fallback, f"none holds {target_ms:.0f} ms here")


def _line_ms(candidate: Candidate, measured: Sequence[Candidate]) -> float:
    """Give how long a line takes, or what the measured model nearest in size says of it."""
    if candidate.figures is not None:
        return candidate.figures.line_ms
    nearest = min(measured, key=lambda m: abs(m.n_weights_bytes - candidate.n_weights_bytes))
    assert nearest.figures is not None
    return nearest.figures.scaled(candidate.n_weights_bytes / max(1, nearest.n_weights_bytes)).line_ms
