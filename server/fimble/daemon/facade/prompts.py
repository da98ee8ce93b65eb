"""Prompts for the model out of what HTTP clients send. Users' text enters as text, templates' sentinels as tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from fimble.engine.contract import Tokenizer
from fimble.errors import ModelFilesError, UsageError
from fimble.fim import prompt as fim_prompt
from fimble.manifest import ModelManifest
from fimble.records import CursorWindow, FimPrompt, Snippet

CONTEXT_TOKENS_MAX = 8_192
SUFFIX_SHARE = 4
"""A quarter of the room is the suffix's, as in the editors' prompts."""
_CONTROL = re.compile(r"(<\|?[\w.:-]+\|?>)")


def room_tokens(manifest: ModelManifest, n_tokens_max: int) -> int:
    """Give how many tokens a prompt may have beside its answer."""
    return max(64, min(manifest.context_tokens, CONTEXT_TOKENS_MAX) - n_tokens_max)


def raw(text: str, manifest: ModelManifest, tokenizer: Tokenizer, n_tokens_max: int) -> FimPrompt:
    """Take a prompt as it is: the client lays it out itself, so a sentinel's name is the sentinel.

    Errors: UsageError if it is too long.
    """
    tokens = with_controls(text, tokenizer)
    if len(tokens) > room_tokens(manifest, n_tokens_max):
        raise UsageError(
            f"the prompt has {len(tokens)} tokens, and there is room for {room_tokens(manifest, n_tokens_max)}"
        )
    return FimPrompt((), tuple(tokens))


def infill(
    window: CursorWindow, snippets: Sequence[Snippet], manifest: ModelManifest, tokenizer: Tokenizer, n_tokens_max: int
) -> FimPrompt:
    """Lay out prefix and suffix as the model was taught; what does not fit loses its far ends."""
    n_room = room_tokens(manifest, n_tokens_max)
    budget = fim_prompt.PromptBudget(n_room - n_room // SUFFIX_SHARE, n_room // SUFFIX_SHARE)
    return fim_prompt.build(window, manifest.fim, tokenizer, budget, snippets).prompt


def chat(
    turns: Iterable[tuple[str, str]], manifest: ModelManifest, tokenizer: Tokenizer, n_tokens_max: int
) -> FimPrompt:
    """Lay out (role, text) turns by the model's chat template.

    Errors: UsageError for a model without one, an unknown role, or too long a chat.
    """
    template = manifest.chat
    if template is None or not template.user:
        raise UsageError(f"the model `{manifest.model_id}` has no chat format")
    turns = list(turns)
    tokens: list[int] = []
    if template.system and not (turns and turns[0][0] == "system"):
        tokens += _turn(template.system, template.system_default, tokenizer)
    for role, text in turns:
        if role not in ("system", "user", "assistant"):
            raise UsageError(f"the role `{role}` is not one of system, user, assistant")
        if role == "assistant":
            tokens += _turn(template.assistant + "{text}\n", text, tokenizer)
        else:
            tokens += _turn(template.system if role == "system" else template.user, text, tokenizer)
    tokens += with_controls(template.assistant.partition("{text}")[0], tokenizer)
    if len(tokens) > room_tokens(manifest, n_tokens_max):
        raise UsageError(
            f"the chat has {len(tokens)} tokens, and there is room for {room_tokens(manifest, n_tokens_max)}"
        )
    return FimPrompt((), tuple(tokens))


def with_controls(text: str, tokenizer: Tokenizer) -> list[int]:
    """Encode text in which the names of control tokens mean the tokens."""
    tokens: list[int] = []
    for piece in _CONTROL.split(text):
        control = _special(piece, tokenizer) if _CONTROL.fullmatch(piece) else None
        tokens += [control] if control is not None else tokenizer.encode(piece) if piece else []
    return tokens


def _turn(template: str, text: str, tokenizer: Tokenizer) -> list[int]:
    before, _, after = template.partition("{text}")
    return [*with_controls(before, tokenizer), *tokenizer.encode(text), *with_controls(after, tokenizer)]


def _special(name: str, tokenizer: Tokenizer) -> int | None:
    try:
        return tokenizer.special(name)
    except ModelFilesError:
        return None
