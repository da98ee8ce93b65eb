"""What is derived from figures; that it stays within bounds is `tests/property/test_limits.py`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fimble.completion.limits import PREFIX_TOKENS_MIN, SUFFIX_TOKENS_MIN, Limits, derive
from fimble.completion.policy import Ask, PolicyFacts, decide
from fimble.engine.contract import EngineState
from fimble.engine.figures import Figures
from fimble.fim.prompt import PromptBudget
from fimble.options import resolve_strict
from fimble.records import CursorWindow, Trigger
from fimble.settings import Settings

QUIET_MACHINE = Figures(((16, 110.0), (64, 169.0), (128, 242.0), (256, 422.0), (512, 937.0)), 60.0)
"""The 0.5B on two cores, from server/bench/README.md."""
FAST_MACHINE = QUIET_MACHINE.scaled(0.1)
SLOW_MACHINE = QUIET_MACHINE.scaled(10.0)


def test_without_figures_the_settings_hold():
    settings = Settings()
    unmeasured = Limits(PromptBudget(384, 128), None, 48, 75)
    assert derive(settings, None) == unmeasured
    assert derive(replace(settings, calibrate=False), SLOW_MACHINE) == unmeasured


def test_fast_machine_reads_everything_and_waits_less():
    assert derive(Settings(), FAST_MACHINE) == Limits(PromptBudget(384, 128), 516, 48, 15, is_measured=True)


def test_where_the_target_cannot_be_held_a_whole_prompt_is_as_small_as_is_any_good():
    limits = derive(Settings(), QUIET_MACHINE)
    assert limits.whole == PromptBudget(PREFIX_TOKENS_MIN, SUFFIX_TOKENS_MIN)
    assert (limits.line_tokens_max, limits.delay_ms) == (48, 75)
    assert limits.head_tokens_max == 384 + 128 + 4, "heads are as long as they were"


def test_a_later_target_leaves_room_for_more():
    limits = derive(Settings(target_ms=1500), QUIET_MACHINE)
    assert 288 < limits.whole.prefix_tokens < 384
    assert derive(Settings(target_ms=3000), QUIET_MACHINE).whole == PromptBudget(384, 128)


def test_slow_machine_keeps_the_smallest_heads_that_are_of_use():
    limits = derive(Settings(), SLOW_MACHINE)
    assert limits.head_tokens_max == 128 + 4 + 135
    assert limits.line_tokens_max == 40


@pytest.mark.parametrize("name", ["prefix_tokens_max", "suffix_tokens_max", "line_tokens_max", "delay_ms"])
def test_what_was_set_is_not_derived_even_to_the_default(name):
    settings = resolve_strict({name: getattr(Settings(), name)})
    for figures in (SLOW_MACHINE, FAST_MACHINE):
        limits = derive(settings, figures)
        derived = {
            "prefix_tokens_max": limits.whole.prefix_tokens,
            "suffix_tokens_max": limits.whole.suffix_tokens,
            "line_tokens_max": limits.line_tokens_max,
            "delay_ms": limits.delay_ms,
        }
        assert derived[name] == getattr(Settings(), name)
    assert derive(settings, SLOW_MACHINE) != derive(replace(settings, calibrate=False), SLOW_MACHINE)


def ask(trigger: Trigger) -> Ask:
    settings = Settings()
    window = CursorWindow("x = 1\ny = ", "\n", "python")
    facts = PolicyFacts(settings, trigger, window, EngineState.READY, 100, 10, derive(settings, SLOW_MACHINE))
    outcome = decide(facts)
    assert isinstance(outcome, Ask)
    return outcome


def test_policy_reads_less_at_once_and_as_much_behind_a_head():
    typed = ask(Trigger.AUTOMATIC)
    assert typed.budget == PromptBudget(384, 128)
    assert typed.whole_budget == PromptBudget(288, 96)
    assert typed.decoded_tokens_max == 40


def test_who_asks_by_a_key_waits_for_all_of_it():
    invoked = ask(Trigger.INVOKED)
    assert invoked.whole_budget == invoked.budget == PromptBudget(768, 256)
