"""A server that measures its model: typing comes first, and what was measured is there at the next start."""

from __future__ import annotations

import asyncio

import pytest

STEP_MS = 3_000
MEASURED = {"text": "total = count + 1", "when": "# calibration"}
SOURCE = "def add(a, b):\n    return \n"
CALIBRATED = {"delay_ms": 0, "calibrate": True}


async def until_status(editor, condition, limit_s=20):
    async with asyncio.timeout(limit_s):
        while not condition(status := await editor.status()):
            await asyncio.sleep(0.02)
        return status


@pytest.mark.parametrize("capabilities", ["visual_studio_code"], indirect=True)
class TestOneClient:
    async def test_key_during_calibration_is_answered_first(self, start, script):
        script(MEASURED | {"prefill_ms": STEP_MS}, "a + b")
        editor = await (await start(options=CALIBRATED)).until_ready()
        # One step has ended, so the next one is under way.
        await until_status(editor, lambda s: s["usage"]["n_generations"] == 1)
        editor.open(SOURCE)
        [item] = await editor.ghost(1, 11)
        assert item.insert_text == "a + b"
        status = await editor.status()
        assert status["usage"]["n_generations"] == 2, "no further step was waited for"
        assert status["calibration"] is None

    async def test_second_start_finds_what_the_first_one_measured(self, start, script):
        script(MEASURED, "a + b")
        editor = await (await start(options=CALIBRATED)).until_ready()
        status = await until_status(editor, lambda s: s["calibration"])
        measured = status["calibration"]
        assert [n_tokens for n_tokens, _ in measured["prefill_ms"]] == [16, 64, 128, 256, 512]
        assert (measured["prefix_tokens_max"], measured["suffix_tokens_max"]) == (384, 128)
        assert measured["target_ms"] == 500
        editor.open(SOURCE)
        await editor.ghost(1, 11)
        explained = await editor.execute("fimble.explain")
        assert "calibrated: prompts of 384 + 128 tokens" in explained["text"]

        n_before = (await editor.status())["usage"]["n_generations"]
        again = await (await start(options=CALIBRATED)).until_ready()
        status = await again.status()
        assert status["calibration"] == measured
        # Behind a daemon the model is the first start's own.
        assert status["usage"]["n_generations"] in (0, n_before)
        off = await (await start(options={"calibrate": False})).until_ready()
        assert (await off.status())["calibration"] is None

    async def test_script_is_not_measured_unless_that_is_asked_for(self, start, script):
        script(MEASURED, "a + b")
        editor = await (await start()).until_ready()
        editor.open(SOURCE)
        await editor.ghost(1, 11)
        status = await editor.status()
        assert status["calibration"] is None
        assert status["usage"]["n_generations"] == 1
        assert "calibrated" not in (await editor.execute("fimble.explain"))["text"]

    async def test_earlier_value_that_switched_parts_off_is_named(self, start):
        editor = await start(options={"target_ms": 0})
        await editor.until(lambda: editor.client.messages)
        assert "option `target_ms` must be 50 to 60000; `500` is kept" in editor.client.messages[0].message
