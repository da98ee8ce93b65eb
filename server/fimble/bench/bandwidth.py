"""How fast this machine moves memory: the limit of decoding, which reads every weight for each token."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy
import numpy.typing

Bytes = numpy.typing.NDArray[numpy.uint8]

N_BYTES = 128 << 20
"""Per thread: far more than any cache holds."""
N_ROUNDS = 5


def copy_bytes_per_s(n_threads: int) -> float:
    """Give bytes read plus bytes written in a second by `n_threads` copying at once; the best of five rounds."""
    pairs = [(numpy.ones(N_BYTES, numpy.uint8), numpy.empty(N_BYTES, numpy.uint8)) for _ in range(n_threads)]

    def copy(pair: tuple[Bytes, Bytes]) -> None:
        numpy.copyto(pair[1], pair[0])

    best_s = float("inf")
    with ThreadPoolExecutor(n_threads) as pool:
        # The first round touches the pages and is not counted.
        for round_number in range(N_ROUNDS + 1):
            started_at_s = time.perf_counter()
            list(pool.map(copy, pairs))
            if round_number:
                best_s = min(best_s, time.perf_counter() - started_at_s)
    return 2 * N_BYTES * n_threads / best_s
