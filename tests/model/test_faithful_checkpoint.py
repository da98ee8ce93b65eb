"""A converted Hugging Face checkpoint computes what transformers computes, for each family."""

from __future__ import annotations

from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from fimble.errors import ConversionError, ModelFilesError, UnsupportedFamilyError
from fimble.models.add import add
from fimble.models.convert_hf import convert
from fimble.models.install import InstallOptions
from fimble.models.store import ModelStore
from tiny_models import SPECIAL_TOKENS, trained_bpe

N_ROWS = 400
SIZES = {"vocab_size": N_ROWS, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": None}
LLAMA_SIZES = {
    **SIZES,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "rope_parameters": {"rope_type": "default", "rope_theta": 250_000.0},
}
GPT_SIZES = {**SIZES, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 256}
CONFIGS = {
    "llama": lambda: transformers.LlamaConfig(**LLAMA_SIZES, rms_norm_eps=1e-3),
    "llama-shared": lambda: transformers.LlamaConfig(**LLAMA_SIZES, tie_word_embeddings=True),
    "qwen2": lambda: transformers.Qwen2Config(**LLAMA_SIZES, rms_norm_eps=1e-3),
    "qwen2-shared": lambda: transformers.Qwen2Config(**LLAMA_SIZES, tie_word_embeddings=True),
    "starcoder2": lambda: transformers.Starcoder2Config(**LLAMA_SIZES, norm_epsilon=1e-3),
    "starcoder2-window": lambda: transformers.Starcoder2Config(**LLAMA_SIZES, sliding_window=64),
    "gpt2": lambda: transformers.GPT2Config(**GPT_SIZES, layer_norm_epsilon=1e-3),
    "gpt_bigcode": lambda: transformers.GPTBigCodeConfig(**GPT_SIZES, layer_norm_epsilon=1e-3),
}


def write_checkpoint(folder: Path, config: transformers.PreTrainedConfig) -> transformers.PreTrainedModel:
    """Write a random checkpoint with a tokenizer of fewer tokens than the model has rows."""
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            # Biases and norms begin as zeros and ones: an exchange of two would not be seen.
            parameter.add_(torch.randn_like(parameter) * 0.05)
    model.save_pretrained(folder)
    tokens, merges = trained_bpe()
    bpe = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, [tuple(m.split(" ")) for m in merges]))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.add_tokens(list(SPECIAL_TOKENS))
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|endoftext|>", bos_token="<|endoftext|>", unk_token="<|endoftext|>"
    )
    fast.save_pretrained(folder)
    return model


def put_start_token_first(folder: Path) -> None:
    path = folder / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", tokenizer.token_to_id("<|endoftext|>"))]
    )
    tokenizer.save(str(path))


@pytest.mark.parametrize("name", CONFIGS)
def test_logits(tmp_path: Path, name: str) -> None:
    model = write_checkpoint(tmp_path / "hf", CONFIGS[name]())
    (folder := tmp_path / "ct2").mkdir()
    convert(tmp_path / "hf", folder, "float32")
    ids = np.random.default_rng(2).integers(0, 370, 48).tolist()
    with torch.no_grad():
        expected = model(torch.tensor([ids])).logits[0].numpy()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    generator = ctranslate2.Generator(str(folder), device="cpu", compute_type="float32")
    found = generator.forward_batch([[tokenizer.id_to_token(i) for i in ids]], return_log_probs=False)
    assert np.std(expected) > 0.05
    np.testing.assert_allclose(np.array(found)[0], expected, atol=1e-3)


def test_checkpoint_in_bfloat16(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "hf", CONFIGS["llama"]()).to(torch.bfloat16).save_pretrained(tmp_path / "hf")
    store = ModelStore(tmp_path / "store")
    model = add(store, str(tmp_path / "hf"), "mine", InstallOptions("int8"))
    assert model.quantization == "int8"
    ctranslate2.Generator(str(model.path), device="cpu")


def test_added_checkpoint_is_described(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "tiny-coder", CONFIGS["starcoder2-window"]())
    store = ModelStore(tmp_path / "store")
    assert add(store, str(tmp_path / "tiny-coder")).model_id == "tiny-coder"
    manifest = store.manifest("tiny-coder")
    assert (manifest.family, manifest.fim.layout, manifest.fim.prefix) == ("starcoder2", "psm", "<|fim_prefix|>")
    assert manifest.context_tokens == 64
    assert manifest.end_tokens[:2] == ("<|endoftext|>", "<|im_end|>")
    assert manifest.chat is None
    store.verify("tiny-coder")


def test_start_token_is_in_the_prompt(tmp_path: Path) -> None:
    from fimble.engine.tokenizer import ModelTokenizer
    from fimble.fim.prompt import PromptBudget, build
    from fimble.records import CursorWindow

    write_checkpoint(tmp_path / "hf", CONFIGS["llama"]())
    put_start_token_first(tmp_path / "hf")
    model = add(ModelStore(tmp_path / "store"), str(tmp_path / "hf"), "mine")
    assert model.manifest.fim.start == "<|endoftext|>"
    tokenizer = ModelTokenizer(model.path / "tokenizer.json")
    prompt = build(CursorWindow("x = ", "\n"), model.manifest.fim, tokenizer, PromptBudget(50, 50)).prompt
    names = [tokenizer.token(i) for i in prompt.head + prompt.tail]
    assert names[:2] == ["<|endoftext|>", "<|fim_prefix|>"]


def test_sentinels_in_user_text_stay_text(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "hf", CONFIGS["gpt2"]())
    (folder := tmp_path / "ct2").mkdir()
    convert(tmp_path / "hf", folder, "int8")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    sentinel = tokenizer.token_to_id("<|fim_prefix|>")
    assert tokenizer.encode("<|fim_prefix|>").ids == [sentinel]
    tokenizer.encode_special_tokens = True
    assert sentinel not in tokenizer.encode("<|fim_prefix|>").ids


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "hf", CONFIGS["gpt2"]())
    (tmp_path / "hf" / "model.safetensors").rename(tmp_path / "hf" / "pytorch_model.bin")
    with pytest.raises(ModelFilesError, match="no safetensors"):
        add(ModelStore(tmp_path / "store"), str(tmp_path / "hf"))


def test_truncated_weights_leave_nothing_behind(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "hf", CONFIGS["gpt2"]())
    weights = tmp_path / "hf" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    store = ModelStore(tmp_path / "store")
    with pytest.raises(ConversionError, match="damaged"):
        add(store, str(tmp_path / "hf"))
    assert store.installed() == []
    assert list((store.root / ".staging").iterdir()) == []


def test_missing_weights_are_not_made_up(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    write_checkpoint(tmp_path / "hf", CONFIGS["llama"]())
    weights = load_file(tmp_path / "hf" / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, tmp_path / "hf" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ConversionError, match=r"layers\.1\.mlp\.up_proj"):
        add(ModelStore(tmp_path / "store"), str(tmp_path / "hf"))


def test_other_families_are_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UnsupportedFamilyError) as caught:
        add(ModelStore(tmp_path / "store"), str(tmp_path / "hf"))
    assert "starcoder2" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("gpt_bigcode", {"multi_query": False}),
        ("gpt2", {"scale_attn_by_inverse_layer_idx": True}),
        ("llama", {"rope_scaling": {"rope_type": "yarn", "factor": 2.0}}),
        ("llama", {"head_dim": 8}),
        ("qwen2", {"hidden_act": "relu"}),
    ],
)
def test_variants_that_would_become_another_model_are_refused(tmp_path: Path, name: str, change: dict) -> None:
    import json

    config = {**CONFIGS[name]().to_dict(), **change}
    (folder := tmp_path / "hf").mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").touch()
    with pytest.raises(UnsupportedFamilyError, match="is not known"):
        convert(folder, tmp_path, "int8")
