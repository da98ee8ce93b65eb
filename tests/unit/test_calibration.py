"""What ties calibration to installed models and to sessions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fimble import calibration
from fimble.app import Application, make_worker
from fimble.completion import prefetch
from fimble.completion.request import CompletionRequest
from fimble.engine.calibration_file import CalibrationFile
from fimble.engine.figures import Figures
from fimble.engine.heads import HeadBook
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.models.record import write_record
from fimble.models.store import ModelStore
from fimble.options import resolve_strict
from fimble.records import CancelToken, Trigger
from fimble.settings import DEFAULT_MODEL, Settings
from fimble.text.document import DocumentSnapshot
from scripted_app import running, until

LARGE_MODEL = "qwen2.5-coder-1.5b"
QUICK = Figures(((64, 20.0), (256, 60.0)), 10.0, "2999-01-01T00:00:00+00:00")
"""A line takes 120 ms."""
SLOW = QUICK.scaled(1000.0)
AUTO = resolve_strict({"model": "auto"})


@pytest.fixture
def file(tmp_path):
    return CalibrationFile(tmp_path / "calibration.json")


@pytest.fixture
def store(tmp_path):
    """A store of two models, the larger one of three times the weights."""
    manifests = Path(__file__).parents[2] / "models"
    store = ModelStore(tmp_path / "models")
    for model_id, n_bytes in ((DEFAULT_MODEL, 1000), (LARGE_MODEL, 3000)):
        folder = store.root / model_id
        folder.mkdir(parents=True)
        (folder / "model.bin").write_bytes(b"w" * n_bytes)
        for name in ("config.json", "tokenizer.json"):
            (folder / name).write_text("{}")
        write_record(folder, (manifests / f"{model_id}.toml").read_text(), "int8", "all")
    return store


def keep(file, store, model_id, figures):
    file.keep(calibration.subject_of(Settings(model=model_id), store), figures)


def test_auto_is_the_default_model_while_none_is_installed(tmp_path):
    settings, choice = calibration.chosen(AUTO, ModelStore(tmp_path), None)
    assert (settings.model, choice.reason) == (DEFAULT_MODEL, "no model is installed")


def test_auto_is_the_largest_model_that_holds_the_target(file, store):
    assert calibration.chosen(AUTO, store, file)[0].model == DEFAULT_MODEL
    keep(file, store, DEFAULT_MODEL, QUICK)
    settings, choice = calibration.chosen(AUTO, store, file)
    assert settings.model == LARGE_MODEL
    assert choice.reason == "the largest that holds 500 ms: a line is expected to take 360"
    assert calibration.chosen(replace(AUTO, target_ms=359), store, file)[0].model == DEFAULT_MODEL
    keep(file, store, LARGE_MODEL, SLOW)
    assert calibration.chosen(AUTO, store, file)[0].model == DEFAULT_MODEL


def test_a_named_model_stays_what_it_is(file, store):
    keep(file, store, DEFAULT_MODEL, QUICK)
    settings = resolve_strict({"model": DEFAULT_MODEL})
    assert calibration.chosen(settings, store, file) == (settings, None)


def test_auto_on_a_remote_server_is_laid_out_as_the_default_model(file, store):
    assert calibration.chosen(replace(AUTO, engine="openai"), store, file)[0].model == DEFAULT_MODEL


def test_figures_belong_to_the_weights_and_the_threads(file, store):
    keep(file, store, DEFAULT_MODEL, QUICK)
    same = Settings(target_ms=900, delay_ms=5)
    assert file.find(calibration.subject_of(same, store)) == QUICK
    assert file.find(calibration.subject_of(replace(same, n_threads=7), store)) is None
    record = store.root / DEFAULT_MODEL / "fimble.toml"
    record.write_text(record.read_text().replace('quantization = "int8"', 'quantization = "int16"'))
    assert file.find(calibration.subject_of(same, store)) is None


def test_session_keeps_its_model_while_auto_stands(file, store):
    app = Application(AUTO, store, calibration_file=file)
    keep(file, store, DEFAULT_MODEL, QUICK)
    assert app.apply(replace(AUTO, delay_ms=10)) is False
    assert app.settings.model == DEFAULT_MODEL
    assert app.apply(replace(AUTO, target_ms=2000)) is True
    assert app.settings.model == app.manifest.model_id == LARGE_MODEL


@pytest.mark.parametrize(
    ("raw", "is_measured"),
    [
        ({"engine": "scripted"}, False),
        ({"engine": "scripted", "calibrate": True}, True),
        ({"engine": "scripted", "calibrate": False}, False),
        ({"engine": "openai", "calibrate": True}, False),
    ],
)
async def test_who_is_calibrated(file, tmp_path, raw, is_measured):
    settings = resolve_strict(raw)
    file.keep(calibration.subject_of(replace(settings, engine="scripted"), ModelStore(tmp_path)), QUICK)
    worker = make_worker(settings, ModelStore(tmp_path), file, ScriptedBackend)
    worker.start()
    await worker.wait_ready()
    assert worker.figures == (QUICK if is_measured else None)
    worker.close()


ABOVE = "".join(f"line_{n} = {n}\n" for n in range(100, 160))


async def ask(app, prefix, trigger=Trigger.AUTOMATIC):
    document = DocumentSnapshot("file:///a.py", "python", 1, prefix + "\nlast = 1\n")
    request = CompletionRequest(document, len(prefix), trigger)
    return (await app.completion.complete(request, CancelToken(), lambda: document)).trace


async def test_whole_prompts_are_cut_and_heads_are_not(monkeypatch):
    monkeypatch.setattr(prefetch, "HEAD_IDLE_S", prefetch.IDLE_S)
    backend = ScriptedBackend([Answer("answer\n")], heads=HeadBook(2000, 1))
    async with running(backend, Settings(engine="scripted", delay_ms=0, prefetch=False, head_mib_max=400)) as app:
        app.engine.figures = SLOW
        assert (await ask(app, ABOVE + "first = ")).n_prefix_tokens <= 288
        assert (await ask(app, ABOVE + "other = ", Trigger.INVOKED)).n_prefix_tokens > 384
        await ask(app, ABOVE + "second = ")
        await until(lambda: app.completion._flights.heads._heads)
        [head] = app.completion._flights.heads._heads.values()
        assert len(head.ids) <= 128 + 4 + 135
        app.engine.figures = QUICK
        await ask(app, ABOVE + "x = 1\n" * 20 + "third = ")
        await until(lambda: app.completion._flights.heads._heads["file:///a.py"] is not head)
        trace = await ask(app, ABOVE + "x = 1\n" * 20 + "fourth = ")
        assert trace.n_head_tokens > 128 + 4 + 135
        assert trace.calibrated.startswith("prompts of 384 + 128 tokens, heads of ")
