"""The file of figures: found again for the same subject alone, and never in anybody's way."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fimble.engine.calibration_file import ENTRIES_MAX, CalibrationFile, Subject
from fimble.engine.figures import Figures

SUBJECT = Subject("small", "ab12", "int8", "auto", "auto", 2, "a processor", "4.8.5")
FIGURES = Figures(((64, 100.0), (128, 200.0)), 50.0, "2026-11-24T12:00:00+00:00")


@pytest.fixture
def file(tmp_path):
    return CalibrationFile(tmp_path / "folder" / "calibration.json")


def test_figures_are_found_again(file):
    assert file.find(SUBJECT) is None
    file.keep(SUBJECT, FIGURES)
    assert CalibrationFile(file.path).find(SUBJECT) == FIGURES
    assert [path.name for path in file.path.parent.iterdir()] == [file.path.name], "nothing half written is left"


@pytest.mark.parametrize(
    "change",
    [
        {"cpu": "another processor"},
        {"n_threads": 4},
        {"ctranslate2": "4.9.0"},
        {"weights": "cd34"},
        {"quantization": "int8_float16"},
        {"device": "cuda"},
        {"model": "large"},
    ],
)
def test_another_machine_or_model_is_not_measured(file, change):
    file.keep(SUBJECT, FIGURES)
    assert file.find(replace(SUBJECT, **change)) is None


def test_two_models_stand_beside_each_other_and_the_newer_figures_count(file):
    large = replace(SUBJECT, model="large")
    file.keep(SUBJECT, replace(FIGURES, decode_ms_per_token=70.0))
    file.keep(large, FIGURES.scaled(2.0))
    file.keep(SUBJECT, FIGURES)
    assert (file.find(SUBJECT), file.find(large)) == (FIGURES, FIGURES.scaled(2.0))
    assert len(json.loads(file.path.read_text())["entries"]) == 2


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"version": 2, "entries": []}',
    b'{"version": 1, "entries": {}}',
    b'{"version": 1, "entries": [7, null, {}]}',
]


@pytest.mark.parametrize("content", DAMAGED)
def test_damaged_file_counts_as_not_measured_and_is_written_anew(file, content):
    file.path.parent.mkdir()
    file.path.write_bytes(content)
    assert file.find(SUBJECT) is None
    file.keep(SUBJECT, FIGURES)
    assert file.find(SUBJECT) == FIGURES


@pytest.mark.parametrize(
    "figures", [None, {}, {"prefill_ms": [[1, -1]]}, FIGURES.as_json() | {"prefill_ms": [[1e400, 1]]}]
)
def test_damaged_entry_counts_as_not_measured(file, figures):
    file.keep(SUBJECT, FIGURES)
    document = json.loads(file.path.read_text())
    document["entries"][0]["figures"] = figures
    file.path.write_text(json.dumps(document))
    assert file.find(SUBJECT) is None
    file.keep(replace(SUBJECT, model="large"), FIGURES)
    assert len(json.loads(file.path.read_text())["entries"]) == 1


def test_what_was_measured_longest_ago_goes_first(file):
    for n in range(ENTRIES_MAX + 3):
        figures = replace(FIGURES, measured_at=f"2026-01-01T00:00:{n:02}+00:00")
        file.keep(replace(SUBJECT, model=f"m{n}"), figures)
    assert [file.find(replace(SUBJECT, model=f"m{n}")) is None for n in range(4)] == [True, True, True, False]


def test_file_that_cannot_be_written_harms_nothing(tmp_path):
    (tmp_path / "taken").write_text("")
    file = CalibrationFile(tmp_path / "taken" / "calibration.json")
    file.keep(SUBJECT, FIGURES)
    assert file.find(SUBJECT) is None
