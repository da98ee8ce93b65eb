"""Documents before and after an action, as pictures: one file an action, one table `[case-name]` each.

`before`   `║` is the cursor, or two of them the ends of the selection
`answer`   what the model writes after the prefill
`after`    the document afterwards; without it, or with `refusal`, it stays as it was
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "actions"
CASES = [
    pytest.param(path.stem, case, id=f"{path.stem}/{name}")
    for path in sorted(HERE.glob("*.toml"))
    for name, case in tomllib.loads(path.read_text(encoding="utf-8")).items()
]


@pytest.mark.parametrize(("action", "case"), CASES)
async def test_action(act, action, case):
    instruction = case.get("instruction", "")
    ran = await act(action, case["before"], case["answer"], language=case["language"], instruction=instruction)
    assert (ran.refusal, ran.new) == (case.get("refusal"), case.get("after", ran.old))


def test_there_are_cases():
    assert len(CASES) > 25
