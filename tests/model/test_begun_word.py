"""Words that are begun at the cursor, with real weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import tokenizers

from fimble.app import Application
from fimble.completion.begun_word import before_word
from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.engine import ct2_backend
from fimble.fim.prompt import owed_space
from fimble.models.store import ModelStore
from fimble.records import CancelToken, CursorWindow
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot

pytestmark = pytest.mark.model

ABOVE = "".join(
    f"def scaled_{n}(values: list) -> list:\n    return [v * {n} for v in values]\n\n\n" for n in range(2, 12)
)
SETTINGS = Settings(prefetch=False, n_second_opinions=0, delay_ms=0, deadline_ms=60_000)


async def ask(app: Application, line: str) -> CompletionResult:
    before = ABOVE + "def first(values: list) -> float:\n    " + line
    document = DocumentSnapshot("file:///a.py", "python", 1, before + "\n    return values[0]\n")
    return await app.completion.complete(CompletionRequest(document, len(before)), CancelToken(), lambda: document)


@pytest.mark.parametrize(("typed", "word"), [("i", "if"), ("ra", "raise")])
async def test_begun_word_goes_on_to_the_one_that_is_likely_there(typed: str, word: str) -> None:
    app = Application(SETTINGS)
    app.start()
    await app.engine.wait_ready()
    try:
        await ask(app, "")
        begun = await ask(app, typed)
        assert (typed + begun.completions[0].text).startswith(f"{word} ")
    finally:
        app.close()


def test_words_are_cut_off_where_the_tokenizer_splits_text() -> None:
    path = ModelStore().path(SETTINGS.model) / "tokenizer.json"
    splits = tokenizers.Tokenizer.from_file(str(path)).pre_tokenizer
    text = Path(ct2_backend.__file__).read_text(encoding="utf-8")
    n_begun = 0
    for offset in range(200, len(text), 7):
        before = text[offset - 200 : offset]
        found = before_word(CursorWindow(before, "\n"))
        if found is not None:
            n_begun += 1
            window, chars = found
            assert owed_space(window.prefix) + chars == splits.pre_tokenize_str(before)[-1][0].replace("\u0120", " ")
    assert n_begun > 400
