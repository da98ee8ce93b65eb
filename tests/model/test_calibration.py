"""Calibration with real weights: measured once in idle time, found at the second start."""

from __future__ import annotations

import asyncio

import pytest

from fimble.app import Application
from fimble.engine.calibration_file import CalibrationFile
from fimble.engine.contract import EngineState
from fimble.settings import DEFAULT_MODEL, Settings

pytestmark = pytest.mark.model

LIMIT_S = 240


@pytest.mark.timeout(300)
async def test_measured_once_and_found_at_the_second_start(tmp_path) -> None:
    file = CalibrationFile(tmp_path / "calibration.json")
    settings = Settings(model=DEFAULT_MODEL)
    first = Application(settings, calibration_file=file)
    first.start()
    try:
        await first.engine.wait_ready()
        assert first.engine.figures is None
        async with asyncio.timeout(LIMIT_S):
            while (figures := first.engine.figures) is None or not file.path.exists():
                await asyncio.sleep(0.05)
    finally:
        first.close()
    sizes = [n_tokens for n_tokens, _ in figures.prefill_ms]
    assert sizes[:3] == [16, 64, 128]
    assert figures.first_token_ms(128) > figures.first_token_ms(16)

    second = Application(settings, calibration_file=file)
    second.start()
    try:
        await second.engine.wait_ready()
        assert second.engine.state is EngineState.READY
        assert second.engine.figures is not None
        assert second.engine.figures.measured_at == figures.measured_at
        assert second.engine.usage.totals()["n_generations"] == 0  # type: ignore[attr-defined]
    finally:
        second.close()
