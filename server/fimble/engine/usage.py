"""How much a model has read and written since it was started. Counts only; says nothing of any text."""

from __future__ import annotations

import threading


class Usage:
    """Thread-safe totals of one engine, runs that were cut off included.

    `n_prefilled_tokens` are those of the prompts that were run, `n_decoded_tokens` those written, of all rows.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_generations = self._n_prefilled_tokens = self._n_decoded_tokens = 0

    def add(self, n_prefilled_tokens: int, n_decoded_tokens: int) -> None:
        """Count one run."""
        with self._lock:
            self._n_generations += 1
            self._n_prefilled_tokens += n_prefilled_tokens
            self._n_decoded_tokens += n_decoded_tokens

    def totals(self) -> dict[str, int]:
        """Give the totals by name."""
        with self._lock:
            return {
                "n_generations": self._n_generations,
                "n_prefilled_tokens": self._n_prefilled_tokens,
                "n_decoded_tokens": self._n_decoded_tokens,
            }
