"""The remote engine on llama.cpp's server with the publisher's own weights: ghost text and one action."""

from __future__ import annotations

import dataclasses

import pytest

from fimble.records import DeclineReason
from remote_cases import EXPECTED, GHOST, check_sum, function_from_comment, ghost_text, remote

pytestmark = pytest.mark.timeout(1800)


@pytest.mark.parametrize("language", list(GHOST))
async def test_ghost_text(llama_cpp: str, language: str) -> None:
    result = await ghost_text(remote(llama_cpp), language)
    assert [c.text for c in result.completions] == [EXPECTED[language]], result.trace


async def test_action_writes_a_function(llama_cpp: str) -> None:
    check_sum(await function_from_comment(remote(llama_cpp)))


async def test_deadline_closes_the_connection_and_the_next_request_is_answered(llama_cpp: str) -> None:
    hasty = dataclasses.replace(remote(llama_cpp), deadline_ms=100)
    result = await ghost_text(hasty, "python")
    # A quick machine may be done by then, or have begun.
    if result.decline is not None and result.decline.reason is DeclineReason.ENGINE_FAILED:
        assert "took too long" in result.decline.detail
    assert (await ghost_text(remote(llama_cpp), "go")).completions
