"""Make a publisher's `tokenizer.json` fit for completing in the middle of text. Knows tokens, not weights."""

from __future__ import annotations

import json
import re
from typing import Any

from tokenizers import Tokenizer

from fimble.errors import UnsupportedFamilyError

SENTINEL = re.compile(r"[▁ ]?[<\[].+[>\]]")
PROBES = ("return A + b", "if (x):\n    y = 'naïve  two'\n\treturn", "")


def adapt(tokenizer_json: str) -> str:
    """Give the tokenizer with its sentinels marked special and with spaces that stay where they are.

    - The engine encodes user text with `encode_special_tokens`, which only covers tokens marked as special; added
      tokens that are plain text (runs of spaces, letters) must stay so, as decoding leaves special ones out.
    - SentencePiece tokenizers put a space before every text and take one off every answer. An answer is the middle
      of a line, so that would lose its first space.
    Errors: UnsupportedFamilyError if pieces of an encoded text still do not decode to pieces of the text.
    """
    raw = json.loads(tokenizer_json)
    for token in raw.get("added_tokens") or []:
        token["special"] = bool(token["special"]) or bool(SENTINEL.fullmatch(token["content"]))
    for part in ("normalizer", "pre_tokenizer", "decoder"):
        raw[part] = _without_outer_space(raw.get(part))
    adapted = json.dumps(raw, ensure_ascii=False)
    _check_pieces(Tokenizer.from_str(adapted))
    return adapted


def start_token(tokenizer_json: str) -> str:
    """Give the token that the publisher puts before every text, or an empty string."""
    tokenizer = Tokenizer.from_str(tokenizer_json)
    plain = tokenizer.encode("x", add_special_tokens=False).ids
    full = tokenizer.encode("x", add_special_tokens=True).ids
    leads = len(full) > len(plain) and full[1 : 1 + len(plain)] == plain
    return str(tokenizer.id_to_token(full[0])) if leads else ""


def _without_outer_space(part: Any) -> Any:
    """Take what adds or strips the outer space out of one part of a tokenizer."""
    if not isinstance(part, dict):
        return part
    kind = part.get("type")
    if kind == "Sequence":
        for key in ("normalizers", "pretokenizers", "decoders"):
            if key in part:
                part[key] = [kept for kept in map(_without_outer_space, part[key]) if kept is not None]
        return part
    if kind == "Metaspace":
        return {**part, "prepend_scheme": "never"}
    if kind == "Prepend" or (kind == "Strip" and part.get("content") == " "):
        return None
    return part


def _check_pieces(tokenizer: Tokenizer) -> None:
    for text in PROBES:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        ascii_ids = ids if text.isascii() else []
        halves = [(ids, []), *((ascii_ids[:i], ascii_ids[i:]) for i in range(1, len(ascii_ids)))]
        if any(tokenizer.decode(first) + tokenizer.decode(second) != text for first, second in halves):
            raise UnsupportedFamilyError(
                "its tokenizer does not give back the text it was given", "byte-level BPE and SentencePiece BPE do"
            )
