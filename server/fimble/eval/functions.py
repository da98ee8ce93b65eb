"""Go through tasks that ask for functions or fixes: ask the action service, judge, file. No printing."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from fimble import options
from fimble.actions.outcome import ActionResult, apply_edits
from fimble.actions.place import Place
from fimble.actions.plan import Wish
from fimble.actions.workspace import DiskWorkspace
from fimble.app import Application
from fimble.errors import FimbleError, UsageError
from fimble.eval import function_judge
from fimble.eval.answer import plain
from fimble.eval.function_task import FunctionTask, draw, load, load_fix
from fimble.eval.judge import Judgement
from fimble.eval.result_log import ResultLog, TaskResult, code_sha256
from fimble.eval.session import model_fingerprint
from fimble.eval.summary import Summary, summarize
from fimble.records import CancelToken
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot

# Quality is measured, not patience.
DEADLINE_MS = 600_000


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """What to evaluate. `set_name` is a language for `fix`; `options` are `KEY=VALUE` settings.

    `run_examples` lets candidates be chosen by the examples of the task's own text.
    """

    data_dir: Path
    action: str
    set_name: str
    n_candidates: int = 1
    run_examples: bool = False
    n_tasks_max: int | None = None
    seed: int = 7
    model: str | None = None
    options: tuple[str, ...] = ()
    out: Path | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """One evaluation. `not_run` says what this machine lacks; then nothing was asked."""

    config: dict[str, Any]
    results_file: Path | None
    results: list[TaskResult]
    summary: Summary
    not_run: str = ""


async def run_plan(plan: FunctionPlan, on_result: Callable[[TaskResult, bool, int], None]) -> Finished:
    """Run one evaluation to its end, going on from what is filed.

    `on_result` gets each result, whether it was filed before, and how many tasks there are.
    Errors: UsageError, SettingsError, ModelError, EngineError; FimbleError for missing data.
    """
    tasks = load_fix(plan.data_dir, plan.set_name) if plan.action == "fix" else load(plan.data_dir, plan.set_name)
    tasks = draw(tasks, plan.n_tasks_max, plan.seed)
    settings = _settings(plan)
    lacking = next((m for t in tasks[:1] if (m := function_judge.missing(t.language, t.start))), "")
    if lacking:
        return Finished({"set": plan.set_name, "action": plan.action}, None, [], summarize([]), lacking)
    config = {
        "set": plan.set_name,
        "action": plan.action,
        "model": settings.model,
        "model_files": model_fingerprint(settings),
        "settings": plain(dataclasses.replace(settings, log_level="info").options()),
        "code": code_sha256(),
    }
    name = plan.set_name.replace(":", "-")
    path = plan.out or Path(platformdirs.user_cache_dir("fimble")) / "eval" / f"{plan.action}-{name}.jsonl"
    log = ResultLog(path, config, forget=plan.fresh)
    app = Application(settings)
    results: list[TaskResult] = []
    try:
        if any(log.get(task.task_id) is None for task in tasks):
            app.start()
            await app.engine.wait_ready()
        for task in tasks:
            known = log.get(task.task_id)
            result = known or await _run_task(app, plan.action, task)
            if known is None:
                log.add(result)
            results.append(result)
            on_result(result, known is not None, len(tasks))
    finally:
        app.close()
    return Finished(config, path, results, summarize(results))


def _settings(plan: FunctionPlan) -> Settings:
    """Give fimble's defaults with the plan's own. Errors: UsageError where examples would give the tests away."""
    if plan.run_examples and plan.set_name == "mbpp":
        raise UsageError("the examples in `mbpp` are its tests", "leave out `--run-examples` for this set")
    raw: dict[str, Any] = {
        "n_candidates": plan.n_candidates,
        "run_examples": plan.run_examples,
        "action_deadline_ms": DEADLINE_MS,
    }
    raw |= {"model": plan.model} if plan.model else {}
    raw |= dict(options.parse_assignment(text) for text in plan.options)
    return options.resolve_strict(raw, source="the command line")


async def _run_task(app: Application, action: str, task: FunctionTask) -> TaskResult:
    document = DocumentSnapshot(f"untitled:{task.task_id}", task.language, 1, task.document)
    place = Place(document, task.offset, task.offset)
    started_at_s = time.monotonic()
    result = await app.actions.run(action, place, Wish(DiskWorkspace()), CancelToken(), lambda: document)
    total_ms = (time.monotonic() - started_at_s) * 1000
    if result.refusal is not None and result.refusal.value in ("engine-failed", "model-not-installed"):
        raise FimbleError(result.message, result.hint)
    changed = apply_edits(task.document, result.edits)
    # What was refused changes nothing, and a document that still lacks the function fails.
    judgement = (
        await asyncio.to_thread(function_judge.judge, task.language, changed, task.test, task.start)
        if result.edits
        else Judgement(False, "refused")
    )
    return TaskResult(
        task_id=task.task_id,
        passed=judgement.passed,
        exact=False,
        failure=judgement.failure,
        declined=result.refusal.value if result.refusal else "",
        text=changed if result.edits else result.raw_text,
        total_ms=round(total_ms, 1),
        trace=_trace(result),
    )


def _trace(result: ActionResult) -> dict[str, Any]:
    return {
        "message": result.message,
        "failed_checks": [c.name for c in result.checks if not c.passed],
        "n_candidates": result.n_candidates,
        "n_prompt_tokens": result.n_prompt_tokens,
        "n_decoded_tokens": result.n_decoded_tokens,
    }
