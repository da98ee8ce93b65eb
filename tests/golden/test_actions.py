"""Documents before and after an action, as pictures: one case a file, the file's name says what it shows."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

CASES = sorted((Path(__file__).parent / "actions").glob("*.toml"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
async def test_action(act, case):
    wanted = tomllib.loads(case.read_text(encoding="utf-8"))
    ran = await act(
        wanted["action"],
        wanted["before"],
        wanted["answer"],
        language=wanted["language"],
        instruction=wanted.get("instruction", ""),
    )
    assert (ran.refusal, ran.new) == (wanted.get("refusal"), wanted.get("after", ran.old))


def test_there_are_cases():
    assert len(CASES) > 25
