"""CTranslate2 behind `Backend`. The only serving file that imports it; knows nothing of text, windows or editors."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fimble import garbage
from fimble.engine import device as devices
from fimble.engine.contract import GenerationRequest, OnToken, Row
from fimble.engine.cores import n_cores
from fimble.engine.heads import HeadBook
from fimble.engine.standing import Allowance
from fimble.engine.tokenizer import ModelTokenizer
from fimble.errors import EngineError, ModelFilesError
from fimble.log import LOGGER
from fimble.manifest import ModelManifest

N_LANES = 2
"""Replicas that share the weights: one for typing, one for what waits with its state: a paused action, a held line."""
COMPUTE_TYPES = {"cpu": ("default",), "cuda": ("float16", "default")}
"""What the option `auto` is on each device, the first that runs; `default` is the form in which the weights were saved.
A GPU is as quick in 16-bit floats, and rounds nothing that its matrices are fed (server/bench/README.md)."""
SAMPLING_SEED = 1
UNLOAD_S_MAX = 0.5
UNLOAD_POLL_S = 0.01


class CTranslate2Backend:
    """One generator from a converted model's folder."""

    n_lanes = N_LANES

    def __init__(
        self,
        path: Path,
        manifest: ModelManifest,
        device: str = "auto",
        compute_type: str = "auto",
        n_threads: int = 0,
        heads: HeadBook | None = None,
    ) -> None:
        """Read the tokenizer; the weights wait for `load`. `n_threads` 0 takes the physical cores."""
        self.heads = heads
        self._path = path
        self._wanted_device = device
        self._compute_type = compute_type
        self._n_threads = n_threads or n_cores()
        self._tokenizer = ModelTokenizer(path / "tokenizer.json")
        self._end_ids = [self._tokenizer.special(name) for name in manifest.end_tokens]
        self._generator: Any = None

    @property
    def tokenizer(self) -> ModelTokenizer:
        return self._tokenizer

    def load(self) -> None:
        """Read the weights. Errors: ModelFilesError if they cannot be read; EngineError if the device cannot run."""
        import ctranslate2

        if not (self._path / "model.bin").is_file():
            raise ModelFilesError(f"`{self._path}` has no `model.bin`", "pull the model again")
        # Sampled answers are the same in the same order of requests: what is measured can be measured again.
        ctranslate2.set_random_seed(SAMPLING_SEED)
        device = devices.choose(self._wanted_device)
        if device.kind == "cuda" and (why_not := self._load_on_gpu()):
            if self._wanted_device == "cuda":
                raise EngineError(
                    f"the model cannot run on the GPU ({device.card}): {why_not}",
                    "set `device` to `auto` or `cpu`; `fimble doctor` says more",
                )
            device = devices.Device("cpu", device.card, why_not)
        if device.kind == "cpu":
            self._load_on_cpu()
        if device.why_not:
            LOGGER.warning("the processor runs the model, not the GPU (%s): %s", device.card, device.why_not)

    def _load_on_gpu(self) -> str:
        """Give why it failed, or nothing."""
        why_not = ""
        for compute_type in self._compute_types("cuda"):
            try:
                self._load_on("cuda", compute_type)
                # A card may be too old, too full or badly installed, and says so only when it is to work.
                self._generator.generate_batch(
                    [[self._tokenizer.token(0)]], max_length=1, include_prompt_in_result=False
                )
            except (RuntimeError, ValueError) as error:
                self._generator, why_not = None, str(error)
            else:
                return ""
        return why_not

    def _load_on_cpu(self) -> None:
        [compute_type] = self._compute_types("cpu")
        try:
            self._load_on("cpu", compute_type)
        except ValueError as error:
            raise EngineError(
                f"the model cannot run here: {error}", "try `compute_type = auto` and `device = cpu`"
            ) from error
        except RuntimeError as error:
            raise ModelFilesError(
                f"the model's files cannot be read: {error}", "run `fimble models verify`, then pull it again"
            ) from error

    def _compute_types(self, kind: str) -> tuple[str, ...]:
        return COMPUTE_TYPES[kind] if self._compute_type == "auto" else (self._compute_type,)

    def _load_on(self, kind: str, compute_type: str) -> None:
        """Errors: ValueError, RuntimeError, as the library raises them."""
        import ctranslate2

        self._generator = ctranslate2.Generator(
            str(self._path),
            device=kind,
            compute_type=compute_type,
            inter_threads=N_LANES,
            intra_threads=self._n_threads,
        )

    def unload(self) -> None:
        self._generator = None

    def rest(self) -> bool:
        # This frees kept heads too, which nothing else does; moving the weights to the CPU and back does not.
        # Source: unloading took 0.06 s and loading 0.36 s, and gave back the memory of six heads (0.5B, CPU).
        generator, end_at_s = self._generator, time.monotonic() + UNLOAD_S_MAX
        if generator is None:
            return False
        # It does nothing, and says nothing, while a thread of its own still holds the batch that has just ended.
        while generator.model_is_loaded and time.monotonic() < end_at_s:
            generator.unload_model()
            time.sleep(UNLOAD_POLL_S if generator.model_is_loaded else 0)
        return not generator.model_is_loaded

    def wake(self) -> None:
        try:
            if self._generator is not None:
                self._generator.load_model()
        except RuntimeError as error:
            raise EngineError(f"the model cannot be loaded again: {error}", "run `fimble models verify`") from error

    def tidy(self) -> None:
        # Each lane's arena keeps its prefill's buffers, up to 900 MB with prompts of 1,000 tokens and four rows.
        # Trimmed after each run the process stays near the weights' size, for up to a tenth more processor time.
        garbage.trim_heap()

    def run(self, request: GenerationRequest, on_token: OnToken) -> list[Row]:
        if self._generator is None:
            raise EngineError("the model is not loaded")
        if request.first_tokens:
            return self._first_tokens(request)
        head, ids = request.prompt.head, request.prompt.tail
        tails: list[Sequence[int]] = [ids]
        if request.starts:
            # Behind a head that is kept each row reads the tail; else the tail is a head that is read once.
            tails = [(*ids, *start) if head else start for start in request.starts]
        static, is_kept = head or (ids if request.starts else ()), bool(head)
        single = request.n_rows == 1 and not request.starts
        sampling: dict[str, Any] = {"sampling_topk": 1}
        if request.n_rows > 1:
            # Hypotheses of one prompt share its prefill; rows of a batch would each pay for it.
            sampling = {
                "sampling_topk": 20,
                "sampling_temperature": request.temperature or 0.8,
                "num_hypotheses": request.n_rows,
            }
        decoded: list[int] = []
        allowance = Allowance(request.n_tokens_max, request.n_more_tokens_max, request.standing) if single else None
        # Starts are read up to the shortest one's length; what is left of the longer ones is decoded by force.
        n_read = min(map(len, request.starts), default=0)
        n_forced = [len(start) - n_read for start in request.starts]
        results = self._generate(
            tails,
            static,
            cache_static_prompt=is_kept,
            max_length=allowance.n_in_all_max if allowance is not None else request.n_tokens_max,
            # A generator is stopped by its callback, one token at a time.
            callback=self._callback(decoded, n_forced, on_token, allowance),
            return_scores=not single,
            **sampling,
        )
        if allowance is not None:
            return [self._row(decoded, None, not allowance.is_spent)]
        if request.starts:
            rows = zip(request.starts, results, n_forced, strict=True)
            return [self._started_row(*row, request.n_tokens_max) for row in rows]
        sampled = zip(results[0].sequences_ids, results[0].scores, strict=True)
        return [self._row(ids, score, len(ids) < request.n_tokens_max) for ids, score in sampled]

    def _first_tokens(self, request: GenerationRequest) -> list[Row]:
        import ctranslate2
        import numpy as np

        # One row's logits say it all. Alternatives would copy what is read of the prompt for each of their rows: 24 of
        # them behind 256 tokens take five times as long as one (server/bench/README.md).
        [result] = self._generate(
            [request.prompt.tail],
            request.prompt.head,
            cache_static_prompt=bool(request.prompt.head),
            max_length=1,
            sampling_topk=1,
            return_logits_vocab=True,
        )
        view = result.logits[0][0].to(ctranslate2.DataType.float32).to_device(ctranslate2.Device.cpu)
        logits = np.array(view).reshape(-1)
        top = logits.max()
        shares_ln = logits - top - np.log(np.exp(logits - top).sum())
        n_rows = min(request.n_rows, len(logits))
        likeliest = np.argpartition(-logits, n_rows - 1)[:n_rows]
        ids = [int(i) for i in likeliest[np.argsort(-logits[likeliest])]]
        return [Row((i,), False, float(shares_ln[i])) for i in ids if i not in self._end_ids]

    def _generate(self, tails: Sequence[Sequence[int]], head: Sequence[int], **how: Any) -> list[Any]:
        """Run the model behind `head`, which all tails share and which is read once. Errors: EngineError."""
        try:
            results: list[Any] = self._generator.generate_batch(
                [self._spell(tail) for tail in tails],
                static_prompt=self._spell(head) or None,
                # The whole prompt is read in one go; the prompt is not repeated in the result.
                include_prompt_in_result=False,
                end_token=self._end_ids,
                beam_size=1,
                max_batch_size=0,
                **how,
            )
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"the model failed: {error}") from error
        return results

    def _spell(self, ids: Sequence[int]) -> list[str]:
        return [self._tokenizer.token(i) for i in ids]

    def _callback(
        self, decoded: list[int], n_forced: list[int], on_token: OnToken, allowance: Allowance | None
    ) -> Callable[[Any], bool]:
        def step(result: Any) -> bool:
            token_id = int(result.token_id)
            # Rows are prompts of a batch or hypotheses of one prompt, never both.
            n_row = int(result.batch_id or 0) + int(result.hypothesis_id or 0)
            if n_forced and int(result.step) < n_forced[n_row]:
                return False
            decoded.append(token_id)
            if allowance is not None:
                allowance.take()
            stop = token_id in self._end_ids or on_token(token_id, n_row)
            return stop or (allowance is not None and allowance.is_spent)

        return step

    def _row(self, ids: list[int], score: float | None, ended: bool) -> Row:
        if ids and ids[-1] in self._end_ids:
            ids, ended = ids[:-1], True
        log_probability = None if score is None else score * max(1, len(ids))
        return Row(tuple(ids), ended, log_probability)

    def _started_row(self, start: tuple[int, ...], result: Any, n_forced: int, n_tokens_max: int) -> Row:
        ids = result.sequences_ids[0]
        row = self._row(ids, result.scores[0], len(ids) < n_tokens_max)
        return Row((*start, *row.ids[n_forced:]), row.ended, row.log_probability)
