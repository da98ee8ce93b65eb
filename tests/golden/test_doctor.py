"""What `fimble doctor` says of a model's speed: the report's lines are pictures in `doctor/`."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from fimble.cli import doctor, doctor_speed
from fimble.engine.calibration_file import CalibrationFile, Subject
from fimble.engine.figures import Figures
from fimble.models.store import ModelStore
from fimble.settings import Settings

CASES = Path(__file__).parent / "doctor"
SUBJECT = Subject("qwen2.5-coder-0.5b", "ab12", "int8", "auto", "auto", 2, "AMD EPYC Processor", "4.8.5")
TWO_CORES = Figures(
    ((16, 110.0), (64, 169.0), (128, 242.0), (256, 422.0), (512, 937.0)), 60.0, "2026-11-24T12:00:00+00:00"
)
QUICK = TWO_CORES.scaled(0.1)
FINDINGS = {
    "target_not_held": lambda: doctor_speed.describe(Settings(), TWO_CORES, SUBJECT),
    "target_held": lambda: doctor_speed.describe(Settings(), QUICK, SUBJECT),
    "own_budget": lambda: doctor_speed.describe(
        Settings(prefix_tokens_max=900, explicit=frozenset({"prefix_tokens_max"})), TWO_CORES, SUBJECT
    ),
    "busy": lambda: doctor_speed.describe(Settings(), replace(TWO_CORES, was_busy=True), SUBJECT),
    "not_measured": lambda: scripted(Settings(engine="scripted", model="scripted")),
    "switched_off": lambda: scripted(Settings(engine="scripted", calibrate=False)),
    "remote": lambda: scripted(Settings(engine="openai", remote_url="http://127.0.0.1:8080/v1")),
    "not_installed": lambda: scripted(Settings()),
}


def scripted(settings):
    nowhere = Path("/nonexistent")
    return doctor_speed.examine(ModelStore(nowhere), settings, CalibrationFile(nowhere / "calibration.json"))


@pytest.mark.parametrize("name", FINDINGS)
def test_report(name):
    output = io.StringIO()
    console = Console(file=output, highlight=False, width=400)
    for finding in FINDINGS[name]():
        doctor._print(console, finding)
    assert output.getvalue() == (CASES / f"{name}.txt").read_text(encoding="utf-8")


def test_every_picture_has_its_case():
    assert {path.stem for path in CASES.iterdir()} == set(FINDINGS)
