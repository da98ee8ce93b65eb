"""Documents that no action may read."""

from __future__ import annotations

import pytest

from fimble.actions.outcome import ActionRefusedError, Refusal
from fimble.actions.privacy import admit
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot

SECRET = "ghp_" + "aB3" * 12


class Ignored:
    async def why(self, uri, names):
        return "private_* (.fimbleignore)" if "private_" in uri else None


def document(name="a.py", text="x = 1\n"):
    return DocumentSnapshot(f"file:///{name}", "python", 1, text)


@pytest.mark.parametrize(("name", "said"), [(".env", "**/.env"), ("private_a.py", "private_*")])
async def test_excluded_and_ignored_files_are_refused(name, said):
    with pytest.raises(ActionRefusedError) as caught:
        await admit(document(name), Settings(), Ignored())
    assert caught.value.refusal is Refusal.PATH_OFF and said in caught.value.message


async def test_secret_does_not_leave_the_machine():
    text = f"x = 1\ntoken = '{SECRET}'\n"
    await admit(document(text=text), Settings(), Ignored())
    with pytest.raises(ActionRefusedError) as caught:
        await admit(document(text=text), Settings(engine="openai"), Ignored())
    assert caught.value.refusal is Refusal.SECRET
    assert "line 2" in caught.value.message and SECRET not in caught.value.message
