"""A publisher's tokenizer made fit for the middle of text."""

from __future__ import annotations

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from fimble.errors import UnsupportedFamilyError
from fimble.models.convert_tokenizer import adapt, start_token
from tiny_models import TRAINING_TEXT, trained_bpe

TEXT = "def add(a, b):\n    return a + b\n"


def byte_level() -> Tokenizer:
    tokens, merges = trained_bpe()
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, [tuple(m.split(" ")) for m in merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def sentence_piece(*, metaspace: bool) -> Tokenizer:
    """A tokenizer as Llama's: byte fallback, a space before the text and one off the answer."""
    vocabulary = {"<unk>": 0, "<s>": 1, **{f"<0x{i:02X}>": i + 2 for i in range(256)}}
    letters = sorted({c for text in [*TRAINING_TEXT, TEXT] for c in text if c not in " \n"} | {"▁", "A"})
    for piece in [*letters, "▁r", "▁re", "▁a"]:
        vocabulary[piece] = len(vocabulary)
    merges = [("▁", "r"), ("▁r", "e"), ("▁", "a")]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    common = [decoders.ByteFallback(), decoders.Fuse()]
    if metaspace:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
        tokenizer.decoder = decoders.Sequence([decoders.Metaspace(), *common])
    else:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), *common, decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([AddedToken("<s>", special=True)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


@pytest.mark.parametrize("metaspace", [False, True])
def test_first_space_of_an_answer_survives(metaspace: bool) -> None:
    publishers = sentence_piece(metaspace=metaspace)
    adapted = Tokenizer.from_str(adapt(publishers.to_str()))
    ids = adapted.encode(TEXT, add_special_tokens=False).ids
    pieces = [(adapted.decode(ids[:i]), adapted.decode(ids[i:])) for i in range(1, len(ids))]
    assert all(first + second == TEXT for first, second in pieces)
    before = publishers.encode(TEXT, add_special_tokens=False).ids
    assert any(publishers.decode(before[:i]) + publishers.decode(before[i:]) != TEXT for i in range(1, len(before)))


def test_start_token() -> None:
    assert start_token(sentence_piece(metaspace=False).to_str()) == "<s>"
    assert start_token(byte_level().to_str()) == ""


def test_only_sentinels_become_special() -> None:
    tokenizer = byte_level()
    tokenizer.add_tokens(["<fim_middle>", "        ", "foo", "<｜fim▁hole｜>"])
    adapted = Tokenizer.from_str(adapt(tokenizer.to_str()))
    adapted.encode_special_tokens = True
    for token, is_special in (("<fim_middle>", True), ("        ", False), ("foo", False), ("<｜fim▁hole｜>", True)):
        ids = adapted.encode(token, add_special_tokens=False).ids
        assert (adapted.token_to_id(token) not in ids) == is_special, token
        assert adapted.decode(ids, skip_special_tokens=True) == token


def test_tokenizer_that_changes_text_is_refused() -> None:
    tokenizer = byte_level()
    tokenizer.normalizer = normalizers.Lowercase()
    with pytest.raises(UnsupportedFamilyError, match="give back"):
        adapt(tokenizer.to_str())
