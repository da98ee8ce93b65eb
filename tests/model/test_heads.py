"""Kept heads with real weights: they change no answer, serve both lanes, and leave memory with the weights."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from fimble.app import Application
from fimble.engine.contract import GenerationRequest, Priority
from fimble.fim.head import behind, pin
from fimble.fim.prompt import PromptBudget, build
from fimble.records import CursorWindow, FimPrompt
from fimble.settings import Settings
from scripted_app import until

pytestmark = pytest.mark.model

ABOVE = "".join(f"def scaled_{n}(value: float) -> float:\n    return value * {n}\n\n\n" for n in range(2, 16))
PLACE = CursorWindow(
    ABOVE + "def scaled_by(value: float, factor: float) -> float:\n    ", "\n\n\nprint(scaled_2(1.0))\n"
)
BUDGET = PromptBudget(384, 128)


@pytest.fixture(scope="module")
def resident_mib() -> Iterator[object]:
    yield lambda: psutil.Process().memory_info().rss / (1 << 20)


async def test_head_changes_no_answer_and_its_memory_comes_back(resident_mib) -> None:
    # A GPU keeps heads in its own memory, where the process does not show them.
    app = Application(Settings(device="cpu"))
    app.start()
    await app.engine.wait_ready()
    try:
        fim, tokenizer = app.manifest.fim, app.engine.tokenizer
        head = pin(PLACE, fim, tokenizer, BUDGET)
        assert head is not None
        laid_out = behind(head, PLACE, fim, tokenizer)
        assert laid_out is not None
        in_one_go = FimPrompt((), (*laid_out.prompt.head, *laid_out.prompt.tail))
        [cold] = await app.engine.generate(GenerationRequest(in_one_go, 12))
        assert cold.n_kept_tokens == 0
        [whole] = await app.engine.generate(GenerationRequest(build(PLACE, fim, tokenizer, BUDGET).prompt, 12))
        before_mib = resident_mib()
        warm = GenerationRequest(FimPrompt(head.ids, head.ids[-1:]), 1, Priority.PREFETCH, warms_head=True)
        await app.engine.generate(warm)
        # What the prefill worked with is given back behind the answer; its replica's tables of positions stay.
        bound_mib = 2 * len(head.ids) * app.manifest.n_state_bytes_per_token / (1 << 20)
        await until(lambda: resident_mib() - before_mib < bound_mib)
        for priority in (Priority.TYPING, Priority.ACTION):
            [kept] = await app.engine.generate(GenerationRequest(laid_out.prompt, 12, priority))
            assert kept.n_kept_tokens == len(head.ids)
            assert kept.text == cold.text
        assert "value * factor" in kept.text
        assert "value * factor" in whole.text
        app.engine._rest.settle(app.engine._backend)  # type: ignore[attr-defined]
        assert resident_mib() < before_mib - 200
        # Now its first request reads the head, and has it kept.
        before = app.engine.usage.totals()  # type: ignore[attr-defined]
        [again] = await app.engine.generate(GenerationRequest(laid_out.prompt, 12))
        n_read_tokens = app.engine.usage.totals()["n_prefilled_tokens"] - before["n_prefilled_tokens"]  # type: ignore[attr-defined]
        assert (again.text, again.n_kept_tokens) == (cold.text, len(head.ids))
        assert n_read_tokens == len(head.ids) + len(laid_out.prompt.tail)
    finally:
        app.close()
