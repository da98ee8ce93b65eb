"""Lay out one question to the model in token ids. User text enters through `Tokenizer.encode` alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fimble.actions.outcome import ActionRefusedError, Refusal
from fimble.engine.contract import Tokenizer
from fimble.errors import ModelFilesError
from fimble.manifest import ChatTemplate, FimTokens
from fimble.records import FimPrompt

# How the chat formats of the known families spell their control tokens.
_CONTROL = re.compile(r"(<\|[^<>|]+\|>|</?s>)")


@dataclass(frozen=True, slots=True)
class Ask:
    """One question.

    `user` is what must be read, with `{context}` where pieces of `context` go, most useful first, as far as they
    fit. `prefill` is the start of the answer, written for the model; its answer goes on from there.
    """

    user: str
    prefill: str = ""
    context: tuple[str, ...] = ()
    system: str = ""


@dataclass(frozen=True, slots=True)
class Infill:
    """The same wish for a model without chat: what the middle between the two texts is."""

    prefix: str
    suffix: str = ""


def lay_out(ask: Ask, template: ChatTemplate, tokenizer: Tokenizer, n_tokens_max: int) -> FimPrompt:
    """Give the chat prompt with as much context as fits.

    Units: tokens of `tokenizer`.
    Errors: ActionRefusedError (too large) if the question alone does not fit.
    """
    kept: list[str] = []
    tokens = _tokens(ask, "", template, tokenizer, n_tokens_max)
    if tokens is None:
        raise ActionRefusedError(
            Refusal.TOO_LARGE,
            f"this is too much for one request (more than {n_tokens_max} tokens)",
            "select less, or raise `action_prompt_tokens_max`",
        )
    for piece in ask.context:
        more = _tokens(ask, "\n\n".join((*kept, piece)), template, tokenizer, n_tokens_max)
        if more is not None:
            kept.append(piece)
            tokens = more
    return FimPrompt((), tuple(tokens))


def lay_out_infill(infill: Infill, fim: FimTokens, tokenizer: Tokenizer, n_tokens_max: int) -> FimPrompt:
    """Give the fill-in-the-middle prompt for a model without chat; the farthest text is left out."""
    suffix = tokenizer.encode(infill.suffix[: n_tokens_max * 2])[: n_tokens_max // 4] if fim.layout != "none" else []
    prefix = tokenizer.encode(infill.prefix[-n_tokens_max * 8 :])[-(n_tokens_max - len(suffix)) :]
    if fim.layout == "none":
        return FimPrompt((), tuple(prefix))
    pre, suf, mid = (tokenizer.special(name) for name in (fim.prefix, fim.suffix, fim.middle))
    layouts = {
        "psm": (pre, *prefix, suf, *suffix, mid),
        "spm": (suf, *suffix, pre, *prefix, mid),
        "spm2": (pre, suf, *suffix, mid, *prefix),
    }
    return FimPrompt((), layouts[fim.layout])


def _tokens(
    ask: Ask, context: str, template: ChatTemplate, tokenizer: Tokenizer, n_tokens_max: int
) -> list[int] | None:
    """Encode the whole chat, or give None where it is too long."""
    user = ask.user.replace("{context}", context + "\n\n" if context else "", 1)
    # Encoding a text that cannot fit would only cost time: no tokenizer needs more than 12 characters a token.
    if len(user) > n_tokens_max * 12:
        return None
    tokens: list[int] = []
    if template.system:
        tokens += _turn(template.system, ask.system or template.system_default, tokenizer)
    tokens += _turn(template.user, user, tokenizer)
    tokens += _turn(template.assistant + "{text}", ask.prefill, tokenizer)
    return tokens if len(tokens) <= n_tokens_max else None


def _turn(template: str, text: str, tokenizer: Tokenizer) -> list[int]:
    """Encode one turn: control tokens of the template by name, everything else as text."""
    tokens: list[int] = []
    before, _, after = template.partition("{text}")
    pieces = [*_CONTROL.split(before), None, *_CONTROL.split(after)]
    plain = ""
    for piece in pieces:
        if piece is None:
            plain += text
        elif _CONTROL.fullmatch(piece) and (control := _special(piece, tokenizer)) is not None:
            tokens += [*(tokenizer.encode(plain) if plain else []), control]
            plain = ""
        else:
            plain += piece
    return [*tokens, *(tokenizer.encode(plain) if plain else [])]


def _special(name: str, tokenizer: Tokenizer) -> int | None:
    try:
        return tokenizer.special(name)
    except ModelFilesError:
        return None
