"""llama-server's way with one infill request, on the Python package, which has no such endpoint. Knows no editor.

What the server does for the request is done here with the package's low-level calls: the prompt's layout and limits,
reuse of the KV cache by common prefix and by moved stretches, the sampler chain, the time limit, the indentation rule.
Source: ggml-org/llama.cpp: tools/server/README.md (`/infill`), tools/server (`format_infill`, `--cache-reuse`).

The line up to the cursor goes behind the middle sentinel, as that README says; the server's code puts it before the
suffix sentinel, which would have the suffix read again on each key.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fimble.bench.replay.vim_policy import Infill
from fimble.errors import EngineError, UsageError

BATCH_TOKENS = 1024
"""llama.vim's advice for the server: `-b 1024 -ub 1024 --cache-reuse 256`."""
REUSE_TOKENS_MIN = 256
CONTEXT_TOKENS = 8192
"""Enough for the whole ring; the server's own default, the model's 32,768, would only take memory."""
TOP_K = 40
TOP_P = 0.9
REPOSITORY = "myproject\n"
THIS_FILE = "filename\n"


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Ids of the FIM sentinels."""

    prefix_id: int
    suffix_id: int
    middle_id: int
    repository_id: int
    file_id: int


class LlamaSlot:
    """One loaded model and one slot of cached tokens."""

    def __init__(self, gguf: Path, n_threads: int, seed: int) -> None:
        """Load the model. Errors: UsageError without the package; EngineError if the file cannot be read."""
        try:
            import llama_cpp
            from llama_cpp import _internals
        except ImportError as error:
            raise UsageError(
                "the side llama-cpp needs the package `llama-cpp-python`", "install `fimble[bench]`"
            ) from error
        try:
            self._llama: Any = llama_cpp.Llama(
                str(gguf),
                n_ctx=CONTEXT_TOKENS,
                n_batch=BATCH_TOKENS,
                n_ubatch=BATCH_TOKENS,
                n_threads=n_threads,
                n_threads_batch=n_threads,
                verbose=False,
            )
        except (ValueError, RuntimeError) as error:
            raise EngineError(f"llama.cpp cannot read `{gguf}`: {error}") from error
        self._lib: Any = llama_cpp
        self._vocab: Any = self._llama._model.vocab
        self._context: Any = self._llama._ctx
        self._batch: Any = self._llama._batch
        self._sampler: Any = _internals.LlamaSampler()
        self._sampler.add_top_k(TOP_K)
        self._sampler.add_top_p(TOP_P, 0)
        self._sampler.add_infill(self._llama._model)
        self._sampler.add_dist(seed)
        self._sentinels = Sentinels(
            int(llama_cpp.llama_vocab_fim_pre(self._vocab)),
            int(llama_cpp.llama_vocab_fim_suf(self._vocab)),
            int(llama_cpp.llama_vocab_fim_mid(self._vocab)),
            int(llama_cpp.llama_vocab_fim_rep(self._vocab)),
            int(llama_cpp.llama_vocab_fim_sep(self._vocab)),
        )
        self._cached: list[int] = []
        self.n_generations = self.n_prefilled_tokens = self.n_decoded_tokens = 0

    def run(self, request: Infill) -> str:
        """Give the answer to one request; a warm-up gives none."""
        prompt = layout(request, self._tokenize, self._sentinels)
        self.n_generations += 1
        self._prefill(prompt)
        if not request.n_predict_tokens:
            return ""
        answer = Answer(request.n_indent, request.predict_ms)
        for n_decoded in range(1, request.n_predict_tokens + 1):
            token = int(self._sampler.sample(self._context, -1))
            self.n_decoded_tokens += 1
            if self._lib.llama_vocab_is_eog(self._vocab, token):
                break
            if answer.add(self._llama.detokenize([token]), time.perf_counter() * 1000):
                break
            if n_decoded < request.n_predict_tokens:
                self._decode([token])
        return answer.text

    def _prefill(self, prompt: list[int]) -> None:
        n_past, moves = reusable(self._cached, prompt, REUSE_TOKENS_MIN)
        for move in moves:
            self._context.kv_cache_seq_rm(0, move.n_to, move.n_from)
            end = move.n_from + move.n_tokens
            self._context.kv_cache_seq_shift(0, move.n_from, end, move.n_to - move.n_from)
        # The last token is read in any case: its logits begin the answer.
        n_past = min(n_past, len(prompt) - 1)
        self._context.kv_cache_seq_rm(0, n_past, -1)
        self._cached = prompt[:n_past]
        self.n_prefilled_tokens += len(prompt) - n_past
        self._decode(prompt[n_past:])

    def _decode(self, tokens: Sequence[int]) -> None:
        for start in range(0, len(tokens), BATCH_TOKENS):
            part = list(tokens[start : start + BATCH_TOKENS])
            self._batch.set_batch(batch=part, n_past=len(self._cached), logits_all=False)
            self._context.decode(self._batch)
            self._cached += part

    def _tokenize(self, text: str) -> list[int]:
        return list(self._llama.tokenize(text.encode(), add_bos=False, special=False)) if text else []


class Answer:
    """The text written so far, and when it is enough: the server's limits for infilling."""

    def __init__(self, n_indent: int, predict_ms: float) -> None:
        self._n_indent, self._predict_ms = n_indent, predict_ms
        self._bytes = b""
        self._cut_bytes: int | None = None
        self._started_at_ms: float | None = None

    @property
    def text(self) -> str:
        return self._bytes[: self._cut_bytes].decode(errors="ignore")

    def add(self, piece: bytes, now_ms: float) -> bool:
        """Take one token's bytes; says whether the answer ends with it."""
        self._started_at_ms = now_ms if self._started_at_ms is None else self._started_at_ms
        self._bytes += piece
        start = self._bytes.find(b"\n") + 1
        while self._n_indent and start:
            line = self._bytes[start:]
            n_blank = len(line) - len(line.lstrip(b" \t"))
            if n_blank < min(self._n_indent, len(line)) and line[n_blank : n_blank + 1] not in (b"\n", b""):
                self._cut_bytes = start - 1
                return True
            start = self._bytes.find(b"\n", start) + 1
        # Only a line end stops an answer that took too long: the line under way is finished.
        return b"\n" in piece and now_ms - self._started_at_ms > self._predict_ms


@dataclass(frozen=True, slots=True)
class Move:
    """Cached tokens that stand in the new prompt, too, at an earlier place."""

    n_from: int
    n_to: int
    n_tokens: int


def layout(request: Infill, tokenize: Callable[[str], list[int]], sentinels: Sentinels) -> list[int]:
    """Give the prompt: chunks, prefix, suffix, the line up to the cursor; each part within the server's limits."""
    prompt = tokenize(request.prompt)
    prefix = tokenize(request.prefix)[-(3 * BATCH_TOKENS // 4) :]
    suffix = tokenize(request.suffix)[: max(0, BATCH_TOKENS // 4 - (2 + len(prompt)))]
    extra = [sentinels.repository_id, *tokenize(REPOSITORY)]
    for chunk in request.chunks:
        extra += [sentinels.file_id, *tokenize(chunk.path + "\n"), *tokenize(chunk.text)]
    extra += [sentinels.file_id, *tokenize(THIS_FILE)]
    n_extra_max = max(0, CONTEXT_TOKENS - BATCH_TOKENS - 2 * request.n_predict_tokens)
    kept = extra[-n_extra_max:] if n_extra_max else []
    return [*kept, sentinels.prefix_id, *prefix, sentinels.suffix_id, *suffix, sentinels.middle_id, *prompt]


def reusable(cached: Sequence[int], prompt: Sequence[int], n_tokens_min: int) -> tuple[int, list[Move]]:
    """Give how many tokens of the prompt need not be read, and which cached stretches move to get there.

    A stretch moves only towards the beginning, and if it has `n_tokens_min` tokens.
    """
    n_past = _n_common(cached, 0, prompt, 0)
    moves: list[Move] = []
    at_cached = at_prompt = n_past
    while at_cached < len(cached) and at_prompt < len(prompt):
        n_match = _n_common(cached, at_cached, prompt, at_prompt)
        if n_match >= n_tokens_min:
            moves.append(Move(at_cached, at_prompt, n_match))
            at_cached, at_prompt, n_past = at_cached + n_match, at_prompt + n_match, n_past + n_match
        else:
            at_cached += 1
    return n_past, moves


def _n_common(one: Sequence[int], at_one: int, other: Sequence[int], at_other: int) -> int:
    count, n_most = 0, min(len(one) - at_one, len(other) - at_other)
    while count < n_most and one[at_one + count] == other[at_other + count]:
        count += 1
    return count
