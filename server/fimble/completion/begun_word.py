"""A word that is begun at the cursor: the model writes it again from its start, with what was typed of it given.

The tokenizer cuts a begun word otherwise than any text the model has read: behind `i` it hardly ever goes on to `if`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from fimble.completion.agreement import agree
from fimble.engine.contract import Engine, GenerationRequest
from fimble.fim.prompt import LaidOutPrompt
from fimble.records import CursorWindow

WORDS_LOOKED_AT = 256
"""How many of the likeliest first tokens are searched for one that begins as the word does: 46 of 49 words had one."""
BEGUN_CHARS_MAX = 12
_LETTERS = r"[^\W\d_]+\Z"
_BEGUN = re.compile(rf"(?:(?<![^\w]|_)(?:[^\w\s]|_)|\t)?{_LETTERS}")


@dataclass(frozen=True, slots=True)
class BegunWord:
    """A prompt that ends before the word; `laid_out` owes what was typed of it."""

    laid_out: LaidOutPrompt

    @classmethod
    def of(cls, laid_out: LaidOutPrompt, chars: str) -> BegunWord:
        """Take a prompt laid out before the word, of which `chars` are typed."""
        return cls(replace(laid_out, owed=laid_out.owed + chars))

    async def begin(
        self, request: GenerationRequest, engine: Engine, typed_since: Callable[[], str]
    ) -> GenerationRequest | None:
        """Give the request with the likeliest token that agrees with what was typed as its start; None if none does.

        It costs one step more; `typed_since` gives what was typed until that is done. Errors: those of the engine.
        """
        of_words = replace(
            request,
            prompt=self.laid_out.prompt,
            n_tokens_max=1,
            n_rows=WORDS_LOOKED_AT,
            first_tokens=True,
            should_stop=None,
        )
        words = await engine.generate(of_words)
        owed, typed = self.laid_out.owed, typed_since()
        for word in words:
            if word.n_kept_tokens and word.text.startswith(owed) and agree(word.text, owed + typed):
                start = tuple(engine.tokenizer.encode(word.text))
                return replace(request, prompt=self.laid_out.prompt, starts=(start,))
        return None


def before_word(window: CursorWindow) -> tuple[CursorWindow, str] | None:
    """Give the place before the word that is begun at the cursor, and what of the word is there; None if none is.

    Inside a word nothing is begun. Letters take one character before them along, be it `.`, `(`, `_` or a tab, unless
    that belongs to what stands before it; a space is owed anyway.
    Source: how Qwen2.5's tokenizer splits text before it looks for tokens (`tokenizer.json`, `pre_tokenizer`).
    """
    begun = _BEGUN.search(window.line_prefix)
    if begun is None or len(begun.group()) > BEGUN_CHARS_MAX or re.match(r"\w", window.line_suffix):
        return None
    n_chars = len(begun.group())
    return replace(window, prefix=window.prefix[:-n_chars]), begun.group()
