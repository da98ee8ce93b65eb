"""CTranslate2's transformers converter with what it lacks: StarCoder2, safetensors only, whole vocabularies.

Imported by `convert_hf` alone, inside a function: importing this loads torch and transformers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from ctranslate2.converters import TransformersConverter, utils
from ctranslate2.converters.transformers import ModelLoader, register_loader
from ctranslate2.specs import TransformerDecoderModelSpec, common_spec
from safetensors import SafetensorError


def convert(checkpoint: Path, folder: Path, quantization: str) -> str:
    """Convert a checkpoint into `folder`; gives the text of its `tokenizer.json`.

    Errors: whatever transformers and CTranslate2 raise for a checkpoint that does not fit.
    """
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint, local_files_only=True, trust_remote_code=False)
    if not tokenizer.is_fast:
        raise ValueError("its tokenizer has no fast form")
    _Converter(str(checkpoint), tokenizer).convert(str(folder), quantization=quantization, force=True)
    return str(tokenizer.backend_tokenizer.to_str())


class _Converter(TransformersConverter):  # type: ignore[misc]  # ctranslate2 has no stubs
    def __init__(self, checkpoint: str, tokenizer: Any) -> None:
        super().__init__(checkpoint, low_cpu_mem_usage=True, trust_remote_code=False)
        self._tokenizer = tokenizer

    def load_model(self, model_class: Any, model_name_or_path: str, **kwargs: Any) -> Any:
        # float32 whatever the checkpoint has: NumPy, which quantizes, knows no bfloat16.
        kwargs["dtype"] = torch.float32
        try:
            self._model, found = model_class.from_pretrained(
                model_name_or_path, use_safetensors=True, local_files_only=True, output_loading_info=True, **kwargs
            )
        except SafetensorError as error:
            raise ValueError(f"its weights are damaged: {error}") from error
        # transformers fills what is missing with random numbers and goes on.
        for state in ("missing_keys", "mismatched_keys"):
            if found.get(state):
                names = sorted(str(name) for name in found[state])
                raise ValueError(f"its weights do not fit: {state.replace('_', ' ')}, such as `{names[0]}`")
        return self._model

    def load_tokenizer(self, tokenizer_class: Any, model_name_or_path: str, **kwargs: Any) -> Any:
        return self._tokenizer

    def _load(self) -> Any:
        spec = super()._load()
        config = self._model.config
        for name in ("layer_norm_epsilon", "rms_norm_eps", "norm_epsilon"):
            if getattr(config, name, None) is not None:
                spec.config.layer_norm_epsilon = float(getattr(config, name))
        spec.register_vocabulary(_tokens(self._tokenizer, int(spec.decoder.embeddings.weight.shape[0])))
        for name in ("bos_token", "eos_token", "unk_token"):
            if getattr(spec.config, name) is None:
                setattr(spec.config, name, "")
        return spec


def _tokens(tokenizer: Any, n_rows: int) -> list[str]:
    """Name each row of the embedding; rows without a token get a name that no text produces."""
    names = {index: token for token, index in tokenizer.get_vocab().items()}
    beyond = [names[i] for i in names if i >= n_rows]
    if beyond:
        raise ValueError(f"its tokenizer has {len(beyond)} tokens without weights, such as `{beyond[0]}`")
    return [names.get(i, f"<unused_row_{i}>") for i in range(n_rows)]


@register_loader("Starcoder2Config")
class _Starcoder2Loader(ModelLoader):  # type: ignore[misc]
    """StarCoder2, which CTranslate2 4.8 cannot load by itself.

    Source: the layout of transformers: src/transformers/models/starcoder2/modeling_starcoder2.py.
    """

    @property
    def architecture_name(self) -> str:
        return "Starcoder2ForCausalLM"

    def get_model_spec(self, model: Any) -> Any:
        config = model.config
        if config.hidden_act != "gelu_pytorch_tanh":
            raise ValueError(f"the activation `{config.hidden_act}` is not StarCoder2's")
        kind, factor, base = self.get_rotary_params(config, 10_000)
        spec = TransformerDecoderModelSpec.from_config(
            config.num_hidden_layers,
            config.num_attention_heads,
            activation=common_spec.Activation.GELUTanh,
            pre_norm=True,
            rotary_dim=0,
            rotary_interleave=False,
            rotary_scaling_type=kind,
            rotary_scaling_factor=factor,
            rotary_base=base,
            num_heads_kv=config.num_key_value_heads,
        )
        decoder = spec.decoder
        decoder.scale_embeddings = False
        self.set_embeddings(decoder.embeddings, model.model.embed_tokens)
        self.set_layer_norm(decoder.layer_norm, model.model.norm)
        self.set_linear(decoder.projection, model.lm_head)
        for target, layer in zip(decoder.layer, model.model.layers, strict=True):
            self._set_layer(target, layer)
        return spec

    def _set_layer(self, target: Any, layer: Any) -> None:
        attention = layer.self_attn
        self.set_layer_norm(target.self_attention.layer_norm, layer.input_layernorm)
        self.set_layer_norm(target.ffn.layer_norm, layer.post_attention_layernorm)
        parts = [common_spec.LinearSpec() for _ in range(3)]
        for part, module in zip(parts, (attention.q_proj, attention.k_proj, attention.v_proj), strict=True):
            self.set_linear(part, module)
        utils.fuse_linear(target.self_attention.linear[0], parts)
        self.set_linear(target.self_attention.linear[1], attention.o_proj)
        self.set_linear(target.ffn.linear_0, layer.mlp.c_fc)
        self.set_linear(target.ffn.linear_1, layer.mlp.c_proj)

    def set_vocabulary(self, spec: Any, tokens: list[str]) -> None:
        spec.register_vocabulary(tokens)

    def set_config(self, config: Any, model: Any, tokenizer: Any) -> None:
        config.bos_token, config.eos_token = tokenizer.bos_token, tokenizer.eos_token
        config.unk_token = tokenizer.unk_token
