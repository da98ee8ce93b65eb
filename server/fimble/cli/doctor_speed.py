"""What the doctor says of the model's speed: measured when, and what follows for `target_ms`. Prints nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from fimble import calibration
from fimble.app import Application
from fimble.cli.doctor_finding import Finding, Verdict
from fimble.completion.limits import derive
from fimble.engine.calibration_file import CalibrationFile, Subject
from fimble.engine.calibrator import measure_now
from fimble.engine.figures import LINE_TOKENS, TAIL_TOKENS, Figures
from fimble.errors import FimbleError, ModelError
from fimble.models.store import ModelStore
from fimble.settings import Settings

SUBJECT = "speed"
SHOWN_TOKENS = (64, 256)
MEASURE = "`fimble doctor --calibrate` measures now"


def examine(store: ModelStore, settings: Settings, file: CalibrationFile, anew: bool = False) -> Iterator[Finding]:
    """Say how fast the model is on this machine and what is derived from that; `anew` measures first."""
    if settings.is_remote:
        yield Finding(Verdict.OK, SUBJECT, f"not calibrated: `{settings.remote_url}` runs the model")
        return
    try:
        subject = calibration.subject_of(settings, store)
    except ModelError:
        return  # said of the model already
    try:
        figures = _measured(settings, store, file, subject) if anew else file.find(subject)
    except FimbleError as error:
        yield Finding(Verdict.FAIL, SUBJECT, error.message, error.hint or "")
        return
    if not settings.calibrate:
        yield Finding(Verdict.OK, SUBJECT, "not used: the option `calibrate` is off")
    elif figures is None:
        detail = f"`{settings.model}` is not measured yet; an editor's session does it once, in idle time"
        yield Finding(Verdict.OK, SUBJECT, detail, MEASURE)
    else:
        yield from describe(settings, figures, subject)


def describe(settings: Settings, figures: Figures, subject: Subject) -> Iterator[Finding]:
    """Give the two lines of a calibrated model."""
    reads = ", ".join(f"{n_tokens} tokens in {figures.first_token_ms(n_tokens):.0f} ms" for n_tokens in SHOWN_TOKENS)
    busy = ", while the machine was busy" if figures.was_busy else ""
    on = subject.device if subject.device.startswith("cuda") else f"{subject.n_threads} threads of {subject.cpu}"
    detail = (
        f"`{subject.model}` reads {reads} and writes one in {figures.decode_ms_per_token:.0f} ms;"
        f" measured {figures.measured_at}{busy}, {on}"
    )
    yield Finding(Verdict.OK, SUBJECT, detail, MEASURE if busy else "")
    line_ms, target_ms = figures.line_ms, settings.target_ms
    kept = "within" if line_ms <= target_ms else "longer than"
    detail = (
        f"{derive(settings, figures)}; a line of {LINE_TOKENS} tokens behind {TAIL_TOKENS} takes {line_ms:.0f} ms,"
        f" {kept} the {target_ms} of `target_ms`"
    )
    yield Finding(Verdict.OK, "limits", detail)


def _measured(settings: Settings, store: ModelStore, file: CalibrationFile, subject: Subject) -> Figures | None:
    """Measure in this process and keep the figures. Errors: EngineError, ModelError."""
    figures = asyncio.run(_measure(settings, store))
    if figures is not None:
        file.keep(subject, figures)
    return figures


async def _measure(settings: Settings, store: ModelStore) -> Figures | None:
    app = Application(settings, store)
    app.start()
    try:
        await app.engine.wait_ready()
        return await measure_now(app.engine, settings.prefix_tokens_max + settings.suffix_tokens_max)
    finally:
        app.close()
