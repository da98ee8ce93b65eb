"""The model's own tokenizer, read from `tokenizer.json`. User text can never become a sentinel here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tokenizers

from fimble.errors import ModelFilesError


class ModelTokenizer:
    """Byte-level tokenizer of one installed model."""

    def __init__(self, path: Path) -> None:
        """Read `path`. Errors: ModelFilesError if it is missing or damaged."""
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ModelFilesError(
                f"cannot read `{path}`: {error}", "run `fimble models verify` for the model, then pull it again"
            ) from error
        # Text that spells `<|fim_middle|>` is text: without this the user's file could steer the model.
        self._tokenizer.encode_special_tokens = True

    def encode(self, text: str) -> list[int]:
        # A lone surrogate cannot be UTF-8; an editor may still send one in the middle of an edit.
        safe = text.encode("utf-8", errors="replace").decode("utf-8")
        ids: list[int] = self._tokenizer.encode(safe, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=True)
        return text

    def special(self, name: str) -> int:
        """Give the id of a special token. Errors: ModelFilesError if the vocabulary has none of that name."""
        token_id = self._tokenizer.token_to_id(name)
        if token_id is None:
            raise ModelFilesError(f"the tokenizer has no token `{name}`", "the manifest and the model do not fit")
        return int(token_id)

    def token(self, token_id: int) -> str:
        """Give the token's own spelling, as CTranslate2's vocabulary has it."""
        token: str | None = self._tokenizer.id_to_token(token_id)
        if token is None:
            raise ModelFilesError(f"the tokenizer has no token of id {token_id}")
        return token
