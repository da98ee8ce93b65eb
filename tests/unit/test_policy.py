"""The numbers of an `Ask`; what is asked for where is pictured in `tests/golden/policy`."""

from __future__ import annotations

import pytest

from fimble.completion.policy import Ask, PolicyFacts, decide
from fimble.engine.contract import EngineState
from fimble.records import CursorWindow, Shape, Trigger
from fimble.settings import Settings

SETTINGS = Settings(
    delay_ms=70,
    line_tokens_max=11,
    block_tokens_max=22,
    block_lines_max=5,
    prefix_tokens_max=33,
    suffix_tokens_max=44,
)


def ask(prefix: str, suffix: str = "\n", trigger: Trigger = Trigger.AUTOMATIC) -> Ask:
    window = CursorWindow(prefix, suffix, "python")
    outcome = decide(PolicyFacts(SETTINGS, trigger, window, EngineState.READY, 100, 10))
    assert isinstance(outcome, Ask)
    return outcome


def test_line_gets_the_budget_of_a_line() -> None:
    assert ask("x = 1\ny = ") == Ask(Shape.LINE, 1, 11, 70, 33, 44)


def test_block_gets_the_budget_of_a_block() -> None:
    assert ask("def f():") == Ask(Shape.BLOCK, 5, 22, 70, 33, 44)


@pytest.mark.parametrize(
    ("prefix", "trigger", "delay_ms"),
    [
        ("def f():\n    ", Trigger.AUTOMATIC, 0),
        ("def f():\n", Trigger.AUTOMATIC, 0),
        ("x = ", Trigger.AUTOMATIC, 70),
        ("x = ", Trigger.INVOKED, 0),
    ],
)
def test_only_a_key_in_the_middle_of_a_line_waits_for_the_next(prefix: str, trigger: Trigger, delay_ms: int) -> None:
    assert ask(prefix, trigger=trigger).delay_ms == delay_ms
