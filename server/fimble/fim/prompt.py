"""Lay out fill-in-the-middle prompts in token ids. Takes text and a budget; asks nobody for more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fimble.errors import PromptBudgetError
from fimble.manifest import FimTokens
from fimble.records import CursorWindow, FimPrompt, Snippet

CHARS_PER_TOKEN_MAX = 12
"""No more than this many characters per token are worth encoding: code averages 3 to 4."""


class TextEncoder(Protocol):
    """What this room needs of a tokenizer."""

    def encode(self, text: str) -> list[int]:
        """Encode user text; sentinels spelled in it stay text."""

    def special(self, name: str) -> int:
        """Give the id of a sentinel."""


@dataclass(frozen=True, slots=True)
class PromptBudget:
    """Tokens of each part, at most."""

    prefix_tokens: int
    suffix_tokens: int


@dataclass(frozen=True, slots=True)
class LaidOutPrompt:
    """A prompt and how many tokens of it are the user's text before and after the cursor.

    `owed` is text that stands before the cursor but not in the prompt: the model writes it again first.
    """

    prompt: FimPrompt
    n_prefix_tokens: int
    n_suffix_tokens: int
    owed: str = ""

    def answer(self, text: str) -> str:
        """Give what the model wrote for after the cursor."""
        return text.removeprefix(self.owed)


def build(
    window: CursorWindow,
    fim: FimTokens,
    encoder: TextEncoder,
    budget: PromptBudget,
    snippets: Sequence[Snippet] = (),
) -> LaidOutPrompt:
    """Lay out one prompt for the model's layout within the budget.

    The prefix loses its oldest lines and the suffix its farthest ones. A model without sentinels gets the
    prefix alone. Snippets go before the prefix, as plain text.
    Units: budgets in tokens of `encoder`.
    Errors: PromptBudgetError if nothing of the prefix fits.
    Source: layouts PSM and SPM, Bavarian et al. 2022, arXiv:2207.14255; `spm2` measured in server/bench/README.md.
    """
    if budget.prefix_tokens < 1:
        raise PromptBudgetError("the prompt budget leaves no room for the prefix")
    owed = owed_space(window.prefix)
    prefix = last_tokens(prefix_text(window, snippets), encoder, budget.prefix_tokens)
    suffix = [] if fim.layout == "none" else first_tokens(window.suffix, encoder, budget.suffix_tokens)
    before, behind = around_prefix(suffix, fim, encoder)
    return LaidOutPrompt(FimPrompt((), (*before, *prefix, *behind)), len(prefix), len(suffix), owed)


def around_prefix(
    suffix: Sequence[int], fim: FimTokens, encoder: TextEncoder
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Give what the model's layout puts before the prefix, and what behind it."""
    start = (encoder.special(fim.start),) if fim.start else ()
    if fim.layout == "none":
        return start, ()
    pre, suf, mid = (encoder.special(name) for name in (fim.prefix, fim.suffix, fim.middle))
    if fim.layout == "psm":
        return (*start, pre), (suf, *suffix, mid)
    if fim.layout == "spm":
        return (*start, suf, *suffix, pre), (mid,)
    return (*start, pre, suf, *suffix, mid), ()


def prefix_text(window: CursorWindow, snippets: Sequence[Snippet] = ()) -> str:
    """Give what the model is to go on from: snippets, then the text before the cursor without what it owes."""
    return "".join(f"{snippet.text}\n" for snippet in snippets) + window.prefix.removesuffix(owed_space(window.prefix))


def owed_space(prefix: str) -> str:
    """Give the one space before the cursor that is left to the model, or nothing.

    The tokenizer joins a space to the word after it: a prompt that ends in a space asks for a word that the
    model has hardly ever seen written so, and spends its alternatives on white space.
    """
    return " " if prefix.endswith(" ") else ""


def last_tokens(text: str, encoder: TextEncoder, n_tokens_max: int) -> list[int]:
    """Encode the end of `text` that fits, from a line start where one is near."""
    ids = encoder.encode(text[-n_tokens_max * CHARS_PER_TOKEN_MAX :])
    if len(ids) <= n_tokens_max and len(text) <= n_tokens_max * CHARS_PER_TOKEN_MAX:
        return ids
    return encoder.encode(last_lines(text, encoder, n_tokens_max))[-n_tokens_max:]


def last_lines(text: str, encoder: TextEncoder, n_tokens_max: int) -> str:
    """Give the last lines of `text` that fit; the last one if not even that does."""
    lines = text[-n_tokens_max * CHARS_PER_TOKEN_MAX :].splitlines(keepends=True)
    kept: list[str] = []
    n_estimated = 0
    for line in reversed(lines):
        n_line = len(encoder.encode(line))
        if kept and n_estimated + n_line > n_tokens_max:
            break
        kept.append(line)
        n_estimated += n_line
    return "".join(reversed(kept))


def first_tokens(text: str, encoder: TextEncoder, n_tokens_max: int) -> list[int]:
    """Encode the start of `text` that fits."""
    if n_tokens_max == 0:
        return []
    return encoder.encode(text[: n_tokens_max * CHARS_PER_TOKEN_MAX])[:n_tokens_max]
