"""A llama-type GGUF file -> the hub's usual folder (config.json, model.safetensors, tokenizer.json), without torch."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader, dequantize
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from tqdm import tqdm

from model.errors import ModelError
from model.weights import Array, FloatArray

CONTROL_TOKEN = 3  # GGUF's token types: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
TENSOR_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def import_gguf(file: Path, target: Path) -> None:
    """Write `file` as a base into folder `target`, weights dequantized to float16.

    ModelError when it is no GGUF file, no llama-type model, or has a tokenizer other than SmolLM's byte-level BPE.
    """
    try:
        reader = GGUFReader(file)
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} is no GGUF file: {error}") from error
    fields = {key: field.contents() for key, field in reader.fields.items()}
    config = _config(fields, file)
    tokenizer = _tokenizer(fields, file)
    tensors = tqdm(reader.tensors, desc="Unpacking the base", unit="tensor", disable=None)
    weights = {_tensor_name(tensor.name): _weight(tensor, config) for tensor in tensors}
    config["tie_word_embeddings"] = "lm_head.weight" not in weights
    target.mkdir(parents=True, exist_ok=True)
    (target / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (target / "tokenizer_config.json").write_text(json.dumps(_tokenizer_config(fields), indent=2), encoding="utf-8")
    tokenizer.save(str(target / "tokenizer.json"))
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})


def _config(fields: dict[str, Any], file: Path) -> dict[str, Any]:
    if fields.get("general.architecture") != "llama":
        raise ModelError(f"{file} holds a {fields.get('general.architecture')!r} model; only llama-type ones are read")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(fields["tokenizer.ggml.tokens"]),
        "hidden_size": fields["llama.embedding_length"],
        "intermediate_size": fields["llama.feed_forward_length"],
        "num_hidden_layers": fields["llama.block_count"],
        "num_attention_heads": fields["llama.attention.head_count"],
        "num_key_value_heads": fields["llama.attention.head_count_kv"],
        "max_position_embeddings": fields["llama.context_length"],
        "rms_norm_eps": round(float(fields["llama.attention.layer_norm_rms_epsilon"]), 9),
        "rope_theta": float(fields.get("llama.rope.freq_base", 10000.0)),
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": fields.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": fields["tokenizer.ggml.eos_token_id"],
        "pad_token_id": fields.get("tokenizer.ggml.padding_token_id"),
        "torch_dtype": "float16",
    }


def _tokenizer(fields: dict[str, Any], file: Path) -> Tokenizer:
    kind = (fields.get("tokenizer.ggml.model"), fields.get("tokenizer.ggml.pre"))
    if kind != ("gpt2", "smollm"):
        raise ModelError(f"{file} has a tokenizer of kind {kind}; only SmolLM's is read")
    tokens = fields["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    # SmolLM's: every digit stands alone, then GPT-2's byte-level splitting.
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    types = fields["tokenizer.ggml.token_type"]
    control = [token for token, kind in zip(tokens, types, strict=True) if kind == CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    return tokenizer


def _tokenizer_config(fields: dict[str, Any]) -> dict[str, Any]:
    tokens = fields["tokenizer.ggml.tokens"]
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": tokens[fields["tokenizer.ggml.eos_token_id"]],
        "chat_template": fields.get("tokenizer.chat_template"),
        "model_max_length": fields["llama.context_length"],
    }


def _tensor_name(name: str) -> str:
    stem, _, kind = name.rpartition(".")
    if stem.startswith("blk."):
        _, layer, part = stem.split(".")
        return f"model.layers.{layer}.{TENSOR_NAMES[part]}.{kind}"
    return f"{TENSOR_NAMES[stem]}.{kind}"


def _weight(tensor: Any, config: dict[str, Any]) -> Array:
    values: FloatArray = dequantize(tensor.data, tensor.tensor_type)
    heads = {"attn_q": "num_attention_heads", "attn_k": "num_key_value_heads"}.get(tensor.name.split(".")[-2])
    if heads:
        values = _halves_order(values, config[heads])
    return np.ascontiguousarray(values, np.float16)


def _halves_order(rows: FloatArray, heads: int) -> FloatArray:
    # GGUF keeps each head's rows as rotated pairs (0, 1), (2, 3)...; the hub's layout pairs the head's two halves.
    pairs = rows.reshape(heads, rows.shape[0] // heads // 2, 2, rows.shape[1])
    return pairs.swapaxes(1, 2).reshape(rows.shape)
