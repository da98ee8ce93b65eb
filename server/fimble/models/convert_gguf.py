"""Turn a GGUF file into a CTranslate2 folder without torch, tensor by tensor. Knows Qwen2 and Llama layouts."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import TransformerDecoderModelSpec
from ctranslate2.specs.attention_spec import RotaryScalingType
from ctranslate2.specs.common_spec import Activation

from fimble.errors import ConversionError, UnsupportedFamilyError
from fimble.models.convert_forward import Shape
from fimble.models.convert_smoothing import Smoothing, find
from fimble.models.convert_tied import EMBEDDINGS, OUTPUT, shared_matrix
from fimble.models.convert_vocabulary import (
    NORMAL,
    UNUSED,
    Vocabulary,
    build_tokenizer,
    cut,
    ids_kept,
    save_tokenizer,
)
from fimble.models.convert_weights import RowSource, join, set_weight, vector
from fimble.models.gguf_file import GgufFile
from fimble.models.smoothing_texts import N_TOKENS_MAX, TEXTS

ARCHITECTURES = ("qwen2", "llama")
SMOOTHED = ("int8", "int8_float16")
"""The forms in which numbers far larger than the rest cost precision."""
FOREIGN_HINT = "the file is foreign or damaged; download it again"


def read_vocabulary(file: GgufFile) -> tuple[Vocabulary, str]:
    """Give the tokens of a GGUF file and the name of its way of splitting text.

    Errors: UnsupportedFamilyError unless it is byte-level BPE; ConversionError if its lists do not fit.
    """
    metadata = file.metadata
    kind = metadata.get("tokenizer.ggml.model")
    if kind != "gpt2":
        raise UnsupportedFamilyError(
            f"`{file.path}` has a `{kind}` tokenizer", "only byte-level BPE is known; add the Hugging Face checkpoint"
        )
    try:
        tokens = tuple(str(t) for t in metadata["tokenizer.ggml.tokens"])
        types = tuple(metadata.get("tokenizer.ggml.token_type") or [NORMAL] * len(tokens))
        merges = tuple(_pair(m) for m in metadata.get("tokenizer.ggml.merges", ()))
        # llama.cpp fills the embedding's unused rows with tokens of this name.
        types = tuple(UNUSED if _is_padding(t) else kind for t, kind in zip(tokens, types, strict=True))
    except KeyError as error:
        raise ConversionError(f"`{file.path}` lacks {error}", FOREIGN_HINT) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise ConversionError(f"the vocabulary of `{file.path}` is damaged: {error}", FOREIGN_HINT) from error
    return Vocabulary(tokens, types, merges), str(metadata.get("tokenizer.ggml.pre", "default"))


def convert(
    source: Path,
    folder: Path,
    quantization: str,
    vocabulary_choice: str,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write `model.bin`, `config.json`, `vocabulary.json` and `tokenizer.json` into `folder`.

    `on_progress` gets the steps done and their number: the tensors, and for 8-bit integers the layers run before.
    Errors: ModelFilesError, UnsupportedFamilyError, ConversionError.
    """
    with GgufFile(source) as file:
        check_architecture(file)
        try:
            vocabulary, split_name = read_vocabulary(file)
            tokenizer = build_tokenizer(vocabulary, split_name)
            texts = [tokenizer.encode(text, add_special_tokens=False).ids[:N_TOKENS_MAX] for text in TEXTS]
            kept = ids_kept(vocabulary, vocabulary_choice)
            if kept is not None:
                vocabulary = cut(vocabulary, kept)
                tokenizer = build_tokenizer(vocabulary, split_name)
            save_tokenizer(tokenizer, folder)
            reader = _Reader(file, quantization, on_progress)
            reader.smooth(texts)
            spec = _build_spec(reader, None if kept is None else np.array(kept))
            _set_config(spec.config, file, vocabulary, reader.shape.epsilon)
            spec.register_vocabulary(list(vocabulary.tokens))
            gc.collect()
            _save(spec, folder)
        except KeyError as error:
            raise ConversionError(f"`{source}` lacks {error}", FOREIGN_HINT) from error
        except (ValueError, TypeError, IndexError, ZeroDivisionError) as error:
            raise ConversionError(f"`{source}` contradicts itself: {error}", FOREIGN_HINT) from error


class _Reader:
    """Looks tensors up by their GGUF names, and remembers which were used."""

    def __init__(self, file: GgufFile, quantization: str, on_progress: Callable[[int, int], None] | None) -> None:
        self.file, self.quantization = file, quantization
        self.shape = shape_of(file.metadata)
        self.shared = shared_matrix(file)
        if quantization == "float32" and OUTPUT in file.tensors:
            self.shared = None  # nobody takes float32 to save memory: it is the file as it is
        self._smoothing = Smoothing()
        self._on_progress = on_progress
        self._n_done, self._n_steps = 0, len(file.tensors)
        self._used: set[str] = set()

    def smooth(self, texts: list[list[int]]) -> None:
        """Take outliers out of what is read from here on, if it becomes 8-bit integers; `texts` are token ids."""
        if self.quantization in SMOOTHED and _has_plain_rotary(self.file.metadata, self.shape):
            self._n_steps += self.shape.n_layers
            self._smoothing = find(self.file, self.shape, self.shared or EMBEDDINGS, texts, self._count)

    def source(self, name: str, row_ids: Any = None) -> RowSource:
        tensor = self.file.tensors[name]
        self._used.add(name)
        n_rows, n_columns = tensor.shape

        def read(start: int, stop: int) -> Any:
            if stop >= (n_rows if row_ids is None else len(row_ids)):
                self._count()
            rows = self.file.rows(name, slice(start, stop) if row_ids is None else row_ids[start:stop])
            return self._smoothing.matrix(name, rows, start, stop)

        return RowSource(n_rows if row_ids is None else len(row_ids), n_columns, read)

    def vector(self, name: str) -> Any:
        self._used.add(name)
        self._count()
        return vector(self._smoothing.vector(name, self.file.vector(name)), self.quantization)

    def weight(self, layer: Any, *names: str, row_ids: Any = None) -> None:
        set_weight(layer, join([self.source(n, row_ids) for n in names]), self.quantization)
        biases = [n.removesuffix(".weight") + ".bias" for n in names]
        present = [b for b in biases if b in self.file.tensors]
        if present:
            if len(present) < len(biases):
                raise ConversionError(f"only some of {', '.join(names)} have biases")
            layer.bias = np.concatenate([self.vector(b) for b in biases])

    def leave_out(self, names: set[str]) -> None:
        """Take that these are not needed, if they are there."""
        for name in names & self.file.tensors.keys():
            self._used.add(name)
            self._count()

    def check_all_used(self) -> None:
        """Refuse a file with weights that the layout has no place for: the result would not be that model."""
        left = sorted(set(self.file.tensors) - self._used)
        if left:
            raise ConversionError(
                f"`{self.file.path}` has {len(left)} tensors without a place, such as `{left[0]}`",
                "this variant of the architecture is not known",
            )

    def _count(self) -> None:
        self._n_done += 1
        if self._on_progress:
            self._on_progress(self._n_done, self._n_steps)


def check_architecture(file: GgufFile) -> None:
    """Errors: UnsupportedFamilyError with the architectures that are known."""
    architecture = file.metadata.get("general.architecture")
    if architecture not in ARCHITECTURES:
        raise UnsupportedFamilyError(
            f"`{file.path}` has the architecture `{architecture}`", "known as GGUF: " + ", ".join(ARCHITECTURES)
        )


def _build_spec(reader: _Reader, row_ids: Any) -> Any:
    metadata, shape = reader.file.metadata, reader.shape
    spec = TransformerDecoderModelSpec.from_config(
        shape.n_layers,
        shape.n_heads,
        activation=Activation.SWISH,
        pre_norm=True,
        ffn_glu=True,
        rms_norm=True,
        num_heads_kv=None if shape.n_heads_kv == shape.n_heads else shape.n_heads_kv,
        head_dim=None if shape.head_width * shape.n_heads == shape.model_width else shape.head_width,
        rotary_interleave=shape.interleaved,
        **_rotary(metadata, shape),
    )
    decoder = spec.decoder
    decoder.scale_embeddings = False
    shared = reader.shared
    reader.weight(decoder.embeddings, shared or EMBEDDINGS, row_ids=row_ids)
    if shared is None:
        reader.weight(decoder.projection, OUTPUT, row_ids=row_ids)
    else:
        reader.leave_out({EMBEDDINGS, OUTPUT} - {shared})
        decoder.projection.weight = decoder.embeddings.weight
        decoder.projection.weight_scale = decoder.embeddings.weight_scale
    decoder.layer_norm.gamma = reader.vector("output_norm.weight")
    for i, layer in enumerate(decoder.layer):
        _set_layer(reader, layer, f"blk.{i}.")
    reader.check_all_used()
    return spec


def _set_layer(reader: _Reader, layer: Any, scope: str) -> None:
    attention, network = layer.self_attention, layer.ffn
    attention.layer_norm.gamma = reader.vector(scope + "attn_norm.weight")
    network.layer_norm.gamma = reader.vector(scope + "ffn_norm.weight")
    reader.weight(attention.linear[0], *(f"{scope}attn_{part}.weight" for part in "qkv"))
    reader.weight(attention.linear[1], scope + "attn_output.weight")
    reader.weight(network.linear_0, scope + "ffn_gate.weight")
    reader.weight(network.linear_0_noact, scope + "ffn_up.weight")
    reader.weight(network.linear_1, scope + "ffn_down.weight")


def shape_of(metadata: dict[str, Any]) -> Shape:
    scope = metadata["general.architecture"] + "."
    n_heads = int(metadata[scope + "attention.head_count"])
    model_width = int(metadata[scope + "embedding_length"])
    return Shape(
        n_layers=int(metadata[scope + "block_count"]),
        n_heads=n_heads,
        n_heads_kv=int(metadata.get(scope + "attention.head_count_kv", n_heads)),
        head_width=int(metadata.get(scope + "attention.key_length", model_width // n_heads)),
        model_width=model_width,
        epsilon=float(metadata[scope + "attention.layer_norm_rms_epsilon"]),
        rotary_base=float(metadata.get(scope + "rope.freq_base", 10_000.0)),
        # GGUF keeps Llama's query and key rows in the interleaved order, Qwen2's in halves.
        # Source: ggml-org/llama.cpp: src/llama-model.cpp, `llama_model_rope_type`.
        interleaved=metadata["general.architecture"] == "llama",
    )


def _has_plain_rotary(metadata: dict[str, Any], shape: Shape) -> bool:
    """Say whether `convert_forward` rotates as the model does."""
    scope = metadata["general.architecture"] + ".rope."
    width = int(metadata.get(scope + "dimension_count", shape.head_width))
    return width == shape.head_width and metadata.get(scope + "scaling.type", "none") == "none"


def _rotary(metadata: dict[str, Any], shape: Shape) -> dict[str, Any]:
    scope = metadata["general.architecture"] + ".rope."
    width = int(metadata.get(scope + "dimension_count", shape.head_width))
    rotary = {
        "rotary_dim": 0 if width == shape.head_width else width,
        "rotary_base": shape.rotary_base,
    }
    scaling = metadata.get(scope + "scaling.type", "none")
    if scaling == "linear":
        rotary["rotary_scaling_type"] = RotaryScalingType.Linear
        rotary["rotary_scaling_factor"] = float(metadata[scope + "scaling.factor"])
    elif scaling != "none":
        raise ConversionError(f"rotary scaling `{scaling}` is not known", "`none` and `linear` are")
    return rotary


def _set_config(config: Any, file: GgufFile, vocabulary: Vocabulary, epsilon: float) -> None:
    metadata = file.metadata
    tokens = metadata["tokenizer.ggml.tokens"]
    present = set(vocabulary.tokens)

    def token(key: str, default: str) -> str:
        index = metadata.get(f"tokenizer.ggml.{key}_token_id")
        text = tokens[index] if index is not None else default
        return text if text in present else default

    config.eos_token = token("eos", "")
    config.bos_token = token("bos", config.eos_token)
    config.unk_token = token("unknown", "")
    config.layer_norm_epsilon = epsilon


def _save(spec: Any, folder: Path) -> None:
    is_tied = spec.decoder.projection.weight is spec.decoder.embeddings.weight
    try:
        spec.validate()
    except ValueError as error:
        raise ConversionError(f"the model does not fit its description: {error}") from error
    if is_tied:
        # An alias is a name; `validate` would take it for a string value, so it is set afterwards.
        for part in ("weight", "weight_scale"):
            if not isinstance(getattr(spec.decoder.embeddings, part), str):
                setattr(spec.decoder.projection, part, f"decoder/embeddings/{part}")
    spec.save(str(folder))


def _is_padding(token: str) -> bool:
    return token.startswith("[PAD") and token.endswith("]")


def _pair(merge: str) -> tuple[str, str]:
    first, _, second = merge.partition(" ")
    return first, second
