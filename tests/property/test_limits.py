"""Whatever was measured, limits stay between what the settings allow and what answers need."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fimble.completion.limits import DELAY_MS_MIN, LINE_TOKENS_MIN, PREFIX_TOKENS_MIN, SUFFIX_TOKENS_MIN, derive
from fimble.engine.figures import Figures
from fimble.fim.head import SENTINELS_MAX
from fimble.settings import Settings, declared

times_ms = st.floats(1e-6, 1e9, allow_nan=False)
sizes = st.lists(st.integers(1, 100_000), min_size=1, max_size=6, unique=True).map(sorted)


@st.composite
def figures(draw):
    prefill_ms = tuple((n_tokens, draw(times_ms)) for n_tokens in draw(sizes))
    return Figures(prefill_ms, draw(times_ms))


def within(name):
    rules = next(each.metadata for each in declared() if each.name == name)
    return st.integers(rules["minimum"], rules["maximum"])


NAMES = ("prefix_tokens_max", "suffix_tokens_max", "line_tokens_max", "delay_ms", "target_ms")
settings = st.builds(Settings, **{name: within(name) for name in NAMES})


@given(settings, figures())
def test_limits_are_bounded_both_ways(asked, measured):
    limits = derive(asked, measured)
    for derived, least, most in (
        (limits.whole.prefix_tokens, PREFIX_TOKENS_MIN, asked.prefix_tokens_max),
        (limits.whole.suffix_tokens, SUFFIX_TOKENS_MIN, asked.suffix_tokens_max),
        (limits.line_tokens_max, LINE_TOKENS_MIN, asked.line_tokens_max),
        (limits.delay_ms, DELAY_MS_MIN, asked.delay_ms),
    ):
        assert min(least, most) <= derived <= most
    most = asked.prefix_tokens_max + asked.suffix_tokens_max + SENTINELS_MAX
    assert asked.suffix_tokens_max < limits.head_tokens_max <= most


@given(settings, figures(), st.floats(1.0, 1000.0))
def test_a_slower_machine_is_never_given_more(asked, measured, factor):
    faster, slower = derive(asked, measured), derive(asked, measured.scaled(factor))
    assert slower.whole.prefix_tokens <= faster.whole.prefix_tokens
    assert slower.whole.suffix_tokens <= faster.whole.suffix_tokens
    assert slower.line_tokens_max <= faster.line_tokens_max
    assert slower.delay_ms >= faster.delay_ms


@given(figures(), st.integers(1, 200_000), st.integers(1, 200_000))
def test_more_tokens_never_take_less_time(measured, a, b):
    low, high = sorted((a, b))
    assert measured.first_token_ms(low) <= measured.first_token_ms(high)


@given(figures(), st.floats(0.0, 1e9, allow_nan=False))
def test_as_many_tokens_as_can_be_read_in_time(measured, limit_ms):
    n_tokens = measured.tokens_read_within(limit_ms)
    if n_tokens:
        assert measured.first_token_ms(n_tokens) <= limit_ms
    if n_tokens < 1 << 17:
        assert measured.first_token_ms(n_tokens + 1) > limit_ms
