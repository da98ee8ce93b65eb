"""Put one evaluation together: settings, application, tasks, results file. No argument parsing, no printing."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from fimble import options
from fimble.app import Application
from fimble.errors import UsageError
from fimble.eval import infilling
from fimble.eval.answer import BareAnswerer, ServiceAnswerer, plain
from fimble.eval.candidate import Answerer
from fimble.eval.result_log import ResultLog, TaskResult, code_sha256
from fimble.eval.summary import Summary, summarize
from fimble.eval.task import draw, load
from fimble.manifest import FimTokens, ModelManifest
from fimble.models.record import RECORD_NAME
from fimble.models.store import ModelStore
from fimble.settings import ASKED_ONCE, Settings

# Quality is measured, not patience: what a slow machine would have cut off is let finish.
DEADLINE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What to evaluate; None leaves the default. `options` are `KEY=VALUE` settings."""

    data_dir: Path
    set_name: str
    n_tasks_max: int | None = None
    seed: int = 7
    model: str | None = None
    layout: str | None = None
    compute_type: str | None = None
    options: tuple[str, ...] = ()
    bare: bool = False
    out: Path | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """One evaluation: what was measured, where the results lie, what they say."""

    config: dict[str, Any]
    results_file: Path
    results: list[TaskResult]
    summary: Summary


async def run_plan(plan: Plan, on_result: Callable[[TaskResult, bool, int], None]) -> Finished:
    """Run one evaluation to its end, going on from what is filed.

    `on_result` gets each result, whether it was filed before, and how many tasks there are.
    Errors: SettingsError, ModelError, EngineError; FimbleError for missing data or an unusable results file.
    """
    tasks = draw(load(plan.data_dir, plan.set_name), plan.n_tasks_max, plan.seed)
    settings = resolve(plan)
    app = Application(settings)
    fim = _layout(app.manifest, plan.layout)
    app.completion.manifest = dataclasses.replace(app.manifest, fim=fim)
    config = describe(plan, settings, fim)
    log = ResultLog(results_file(plan), config, forget=plan.fresh)
    try:
        if any(log.get(task.task_id) is None for task in tasks):
            app.start()
            await app.engine.wait_ready()
        results = await infilling.run(
            tasks, _answerer(plan, app, fim), log, lambda result, known: on_result(result, known, len(tasks))
        )
    finally:
        app.close()
    return Finished(config, log.path, results, summarize(results))


def resolve(plan: Plan) -> Settings:
    """Give the settings: fimble's defaults in the shape the set asks for, then the plan's own.

    There are no delays, no parts of answers, kept heads or work ahead. The user's settings file is
    left out: a measurement says what it ran with.
    Errors: SettingsError for an unknown or invalid option.
    """
    raw: dict[str, Any] = {
        "delay_ms": 0,
        "deadline_ms": DEADLINE_MS,
        **ASKED_ONCE,
        "n_alternatives": 1,
        "multiline": "never" if plan.set_name == "single-line" else "always",
    }
    raw |= {"model": plan.model} if plan.model else {}
    raw |= {"compute_type": plan.compute_type} if plan.compute_type else {}
    raw |= dict(options.parse_assignment(text) for text in plan.options)
    return options.resolve_strict(raw, source="the command line")


def describe(plan: Plan, settings: Settings, fim: FimTokens) -> dict[str, Any]:
    """Give everything that can change an answer; results are filed under it."""
    return {
        "set": plan.set_name,
        "mode": "bare" if plan.bare else "service",
        "model": settings.model,
        "layout": fim.layout,
        "model_files": model_fingerprint(settings),
        "settings": plain(dataclasses.replace(settings, log_level="info").options()),
        "code": code_sha256(),
    }


def results_file(plan: Plan) -> Path:
    """Give the file of the results: the plan's, or one per set in the user's cache."""
    return plan.out or Path(platformdirs.user_cache_dir("fimble")) / "eval" / f"infilling-{plan.set_name}.jsonl"


def model_fingerprint(settings: Settings) -> str:
    """Give what tells one set of model files (or one script) from another, without reading gigabytes.

    Errors: ModelError if the model is not installed.
    """
    if settings.engine == "scripted":
        script = os.environ.get("FIMBLE_SCRIPT", "")
        content = Path(script).read_bytes() if script else b""
    else:
        # It records the sha256 of every file beside it.
        content = (ModelStore().path(settings.model) / RECORD_NAME).read_bytes()
    return hashlib.sha256(content).hexdigest()


def _layout(manifest: ModelManifest, layout: str | None) -> FimTokens:
    """Give the model's sentinels in the plan's layout. Errors: UsageError if it has no sentinels for it."""
    if layout is None or layout == "none":
        return manifest.fim if layout is None else dataclasses.replace(manifest.fim, layout=layout)
    if not manifest.fim.middle:
        raise UsageError(
            f"model `{manifest.model_id}` has no sentinels for the layout `{layout}`", "use `--layout none`"
        )
    return dataclasses.replace(manifest.fim, layout=layout)


def _answerer(plan: Plan, app: Application, fim: FimTokens) -> Answerer:
    if plan.bare:
        return BareAnswerer(app.engine, fim, plan.set_name == "single-line")
    return ServiceAnswerer(app.completion, plan.set_name)
