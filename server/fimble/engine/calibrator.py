"""Measures how fast a model is here, once, while nobody asks for anything. Derives nothing; knows no editor."""

from __future__ import annotations

import asyncio
import datetime
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import psutil

from fimble.engine.calibration_file import CalibrationFile, Subject
from fimble.engine.contract import Engine, EngineState, GenerationRequest, Priority
from fimble.engine.cores import n_cores
from fimble.engine.figures import Figures
from fimble.engine.power import on_battery
from fimble.engine.worker import EngineWorker
from fimble.errors import FimbleError
from fimble.log import LOGGER
from fimble.records import FimPrompt, Generation, StopReason

PREFILL_TOKENS = (16, 64, 128, 256, 512, 1024)
DECODE_CONTEXT_TOKENS = 128
DECODE_TOKENS = 16
N_REPEATS = 2
"""The quickest of them counts: what else the machine does can only add to it."""
STEP_MS_MAX = 1_500.0
"""A prefill cannot be interrupted: one that is expected to take longer is not begun, its time is extrapolated."""
GROWTH_EXPECTED = 1.3
"""Twice the tokens take up to 2.5 times as long (server/bench/README.md)."""
QUIET_S = 2.0
"""So long nobody has typed before a step is begun."""
POLL_S = 0.5
AGE_DAYS_MAX = 90
"""Older figures are used, and measured anew in the first quiet moment: machines change."""
TEXT = "# calibration\ntotal = count + 1\nprint(total)\n"

Step = Callable[[GenerationRequest], Awaitable[Generation | None]]


@dataclass(slots=True)
class Measurement:
    """One measurement, step by step. `step` runs a generation, or gives None if something ran beside it."""

    engine: Engine
    n_tokens_max: int
    _prefill_ms: dict[int, float] = field(default_factory=dict)
    _decode_ms: list[float] = field(default_factory=list)

    async def run(self, step: Step) -> Figures | None:
        """Give the figures; None if the model does not write what can be measured. Errors: EngineError."""
        ids = self.engine.tokenizer.encode(TEXT)
        was_busy = psutil.getloadavg()[0] >= n_cores()
        await self._again(step, _request(ids, PREFILL_TOKENS[0], 1))  # the first run makes buffers
        for n_tokens in self._sizes():
            rows = [await self._again(step, _request(ids, n_tokens, 1)) for _ in range(N_REPEATS)]
            self._prefill_ms[n_tokens] = min(row.first_token_ms for row in rows)
        for _ in range(N_REPEATS):
            row = await self._again(step, _request(ids, DECODE_CONTEXT_TOKENS, DECODE_TOKENS))
            if row.n_decoded_tokens > 1:
                self._decode_ms.append((row.total_ms - row.first_token_ms) / (row.n_decoded_tokens - 1))
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        try:
            decode_ms = min(self._decode_ms, default=0.0)
            return Figures(tuple(self._prefill_ms.items()), decode_ms, now, was_busy).rounded()
        except ValueError:
            return None

    async def _again(self, step: Step, request: GenerationRequest) -> Generation:
        """Run one step until nothing ran beside it."""
        while (row := await step(request)) is None:
            pass
        return row

    def _sizes(self) -> Iterator[int]:
        """Give the sizes worth reading, from what the ones before took."""
        last: tuple[int, float] | None = None
        for n_tokens in PREFILL_TOKENS:
            if last is not None:
                is_enough = last[0] >= self.n_tokens_max
                expected_ms = last[1] * (n_tokens / last[0]) ** GROWTH_EXPECTED
                if is_enough or (len(self._prefill_ms) > 1 and expected_ms > STEP_MS_MAX):
                    return
            yield n_tokens
            last = n_tokens, self._prefill_ms[n_tokens]


def _request(ids: list[int], n_prompt_tokens: int, n_tokens_max: int) -> GenerationRequest:
    # Beside typing, as an action is: a key need not wait for its turn, and pauses what is decoded here.
    tail = (ids * (n_prompt_tokens // len(ids) + 1))[:n_prompt_tokens]
    return GenerationRequest(FimPrompt((), tuple(tail)), n_tokens_max, Priority.ACTION)


async def measure_now(engine: Engine, n_tokens_max: int) -> Figures | None:
    """Measure an engine that has nothing else to do. Errors: EngineError."""

    async def step(request: GenerationRequest) -> Generation:
        return (await engine.generate(request))[0]

    return await Measurement(engine, n_tokens_max).run(step)


class Calibrator:
    """Gives a worker its figures: from the file once its model is loaded, or measured in idle time and kept there.

    **Invariant:** a step runs on the lane beside typing and is begun only after `QUIET_S` without a key; a key that
    comes meanwhile is answered first, and the step counts for nothing.
    """

    def __init__(
        self,
        file: CalibrationFile,
        subject: Callable[[], Subject],
        n_tokens_max: int,
        quiet_s: float = QUIET_S,
        is_on_battery: Callable[[], bool] = on_battery,
    ) -> None:
        """`subject` may read the disk; it is asked on the engine's thread."""
        self._file = file
        self._subject = subject
        self._n_tokens_max = n_tokens_max
        self._quiet_s = quiet_s
        self._is_on_battery = is_on_battery
        self._closed = threading.Event()
        self._found: Subject | None = None
        self._has_begun = False

    def watch(self, worker: EngineWorker) -> None:
        """Take a worker that has not been started."""
        worker.on_state_change(lambda: self._changed(worker))

    def find(self, worker: EngineWorker) -> Subject | None:
        """Give the worker what is known of its model, and the subject if there is one.

        Called before the model is loaded it is known from the first request on.
        """
        try:
            self._found = self._subject()
        except FimbleError as error:
            LOGGER.debug("not calibrated: %s", error.message)
            return None
        worker.figures = self._file.find(self._found)
        return self._found

    def _changed(self, worker: EngineWorker) -> None:
        if worker.state is EngineState.CLOSED:
            self._closed.set()
        if worker.state is not EngineState.READY or self._has_begun:
            return
        self._has_begun = True
        subject = self._found or self.find(worker)
        if subject is not None and is_doubtful(worker.figures):
            thread = threading.Thread(
                target=self._measure, args=(worker, subject), name="fimble-calibration", daemon=True
            )
            thread.start()

    def _measure(self, worker: EngineWorker, subject: Subject) -> None:
        if self._closed.wait(self._quiet_s):
            return  # whoever has just opened an editor may be about to type
        try:
            figures = asyncio.run(Measurement(worker, self._n_tokens_max).run(lambda r: self._step(worker, r)))
        except FimbleError as error:
            LOGGER.debug("not calibrated: %s", error.message)
            return
        if figures is not None and not self._closed.is_set():
            worker.figures = figures
            self._file.keep(subject, figures)
            LOGGER.info("calibrated: %.1f ms a token written", figures.decode_ms_per_token)

    async def _step(self, worker: EngineWorker, request: GenerationRequest) -> Generation | None:
        await self._until_quiet(worker)
        n_before = worker.usage.totals()["n_generations"]
        [row] = await worker.generate(request)
        was_alone = worker.usage.totals()["n_generations"] == n_before + 1 and worker.is_quiet(self._quiet_s)
        return row if was_alone and row.stop_reason is not StopReason.CANCELLED else None

    async def _until_quiet(self, worker: EngineWorker) -> None:
        while not worker.is_quiet(self._quiet_s) or self._is_on_battery():
            # Of its own thread: nobody else waits on this loop.
            if self._closed.wait(POLL_S):
                return


def is_doubtful(figures: Figures | None) -> bool:
    """Say whether there is something to measure when there is time: no figures, old ones, those of a busy machine."""
    if figures is None or figures.was_busy:
        return True
    try:
        measured_at = datetime.datetime.fromisoformat(figures.measured_at)
        return datetime.datetime.now(datetime.UTC) - measured_at > datetime.timedelta(days=AGE_DAYS_MAX)
    except (ValueError, TypeError):
        return True
