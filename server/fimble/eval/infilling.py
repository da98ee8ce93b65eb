"""Go through infilling tasks: ask, apply, judge, file. The order of work only; each step is elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from fimble.eval.candidate import Answerer, apply, matches_exactly
from fimble.eval.judge import judge
from fimble.eval.result_log import ResultLog, TaskResult
from fimble.eval.task import InfillingTask


async def run(
    tasks: Sequence[InfillingTask],
    answerer: Answerer,
    log: ResultLog,
    on_result: Callable[[TaskResult, bool], None] = lambda result, known: None,
) -> list[TaskResult]:
    """Answer and judge every task that `log` does not know yet; gives all results in the order of `tasks`.

    `on_result` gets each result and whether it was known.
    Errors: EngineError if the model cannot be run; FimbleError if results cannot be filed.
    """
    results = []
    for task in tasks:
        known = log.get(task.task_id)
        result = known or await _run_task(task, answerer)
        if known is None:
            log.add(result)
        results.append(result)
        on_result(result, known is not None)
    return results


async def _run_task(task: InfillingTask, answerer: Answerer) -> TaskResult:
    hole = answerer.hole(task)
    started_at_s = time.monotonic()
    candidate = await answerer.answer(task, hole)
    total_ms = (time.monotonic() - started_at_s) * 1000
    document = apply(hole, candidate)
    # An unanswered hole is run too, like an empty answer of the bare model: some holes need nothing.
    judgement = await asyncio.to_thread(judge, document, task.test, task.entry_point)
    return TaskResult(
        task_id=task.task_id,
        passed=judgement.passed,
        exact=matches_exactly(document, task),
        failure=judgement.failure,
        declined=candidate.declined,
        text=candidate.text,
        total_ms=round(total_ms, 1),
        trace=candidate.trace,
    )
