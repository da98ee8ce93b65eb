"""A tokenizer for models whose own is not here: pieces of text as numbers, without a vocabulary. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fimble.errors import ModelFilesError

# Code averages 3 to 4 characters a token, so budgets in these pieces come near the model's own count.
_PIECE = re.compile(r" ?\w{1,4}|\s{1,4}|[^\w\s]{1,2}")
N_SPECIAL_MAX = 256


class PackedTokenizer:
    """Each id spells its own piece: the UTF-8 bytes behind a 1, as one number. Ids below 256 are sentinels."""

    def __init__(self, special_names: Sequence[str]) -> None:
        self._names = [name for name in dict.fromkeys(special_names) if name]

    def encode(self, text: str) -> list[int]:
        return [pack(piece) for piece in _PIECE.findall(text)]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(unpack(i) for i in ids if i >= N_SPECIAL_MAX)

    def special(self, name: str) -> int:
        """Give the id of a sentinel. Errors: ModelFilesError if it is not one of the model's."""
        if name not in self._names:
            raise ModelFilesError(f"the model has no token `{name}`", "the manifest and the model do not fit")
        return self._names.index(name)

    def spell(self, ids: Sequence[int]) -> str:
        """Give the text that a server is sent, sentinels by name.

        The server reads every sentinel's name as the sentinel, so one that the user's text spells is broken up.
        """
        parts: list[str] = []
        plain: list[int] = []
        for token_id in ids:
            if token_id >= N_SPECIAL_MAX:
                plain.append(token_id)
                continue
            parts += [self._harmless(self.decode(plain)), self._names[token_id]]
            plain = []
        return "".join([*parts, self._harmless(self.decode(plain))])

    def _harmless(self, text: str) -> str:
        for name in self._names:
            if name in text:
                text = text.replace(name, f"{name[0]} {name[1:]}")
        return text


def pack(piece: str) -> int:
    """Give the number that spells `piece`, which may be of any length but not empty."""
    return int.from_bytes(b"\x01" + piece.encode("utf-8", errors="replace"), "big")


def unpack(number: int) -> str:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")[1:].decode("utf-8")
