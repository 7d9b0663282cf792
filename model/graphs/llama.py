"""Llama-type bases (Touvron et al. 2023): rotary positions, RMS norm, gated MLP, grouped-query attention."""

from typing import Any

import numpy as np
from openvino import Type
from openvino import opset13 as op

from model.errors import ModelError
from model.graphs.blocks import (
    Cache,
    Inputs,
    Int8Matrix,
    Node,
    attend,
    constant,
    finish,
    join_heads,
    linear,
    make_inputs,
    repeat_heads,
    split_heads,
)
from model.weights import Weights


def build(config: dict[str, Any], weights: Weights) -> Any:
    """The graph of a llama-type base; see `model.graphs.build_graph`."""
    _refuse_what_is_not_built(config)
    inputs = make_inputs()
    cache = Cache(inputs)
    embedding = Int8Matrix.quantize(weights["model.embed_tokens.weight"])
    rotation = _rotation(inputs.position_ids, config)
    x = embedding.rows(inputs.input_ids)
    for layer in range(int(config["num_hidden_layers"])):
        x = _block(x, f"model.layers.{layer}", config, weights, inputs, cache, rotation)
    x = _rms_norm(x, "model.norm", config, weights)
    head = Int8Matrix.quantize(weights["lm_head.weight"]) if "lm_head.weight" in weights else embedding
    return finish(head.apply(x), inputs, cache, "llama")


def _refuse_what_is_not_built(config: dict[str, Any]) -> None:
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind != "default":
        raise ModelError(f"a llama base with rotary positions of type {kind!r} has no graph here")
    if config.get("hidden_act", "silu") != "silu":
        raise ModelError(f"a llama base with activation {config['hidden_act']!r} has no graph here")


def _block(
    x: Node,
    name: str,
    config: dict[str, Any],
    weights: Weights,
    inputs: Inputs,
    cache: Cache,
    rotation: tuple[Node, Node],
) -> Node:
    normed = _rms_norm(x, f"{name}.input_layernorm", config, weights)
    x = op.add(x, _attention(normed, f"{name}.self_attn", config, weights, inputs, cache, rotation))
    normed = _rms_norm(x, f"{name}.post_attention_layernorm", config, weights)
    gate = op.swish(_linear(normed, f"{name}.mlp.gate_proj", weights))
    gated = op.multiply(gate, _linear(normed, f"{name}.mlp.up_proj", weights))
    return op.add(x, _linear(gated, f"{name}.mlp.down_proj", weights))


def _attention(
    x: Node,
    name: str,
    config: dict[str, Any],
    weights: Weights,
    inputs: Inputs,
    cache: Cache,
    rotation: tuple[Node, Node],
) -> Node:
    heads = int(config["num_attention_heads"])
    groups = int(config.get("num_key_value_heads") or heads)
    size = head_size(config)
    query = _rotate(split_heads(_linear(x, f"{name}.q_proj", weights), heads, size), rotation, size)
    key = _rotate(split_heads(_linear(x, f"{name}.k_proj", weights), groups, size), rotation, size)
    value = split_heads(_linear(x, f"{name}.v_proj", weights), groups, size)
    keys = repeat_heads(cache.extend(f"{name}.key", key, groups, size), heads // groups)
    values = repeat_heads(cache.extend(f"{name}.value", value, groups, size), heads // groups)
    return _linear(join_heads(attend(query, keys, values, inputs), heads * size), f"{name}.o_proj", weights)


def head_size(config: dict[str, Any]) -> int:
    """Width of one attention head."""
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def _rotation(position_ids: Node, config: dict[str, Any]) -> tuple[Node, Node]:
    """Cosine and sine of the rotary angles, each [batch, 1, length, head size] (Su et al. 2021)."""
    rope = config.get("rope_parameters") or {}
    base = float(rope.get("rope_theta") or config.get("rope_theta") or 10000.0)
    size = head_size(config)
    frequencies = (base ** -(np.arange(0, size, 2, dtype=np.float32) / size)).astype(np.float32)
    positions = op.unsqueeze(op.convert(position_ids, Type.f32), constant(np.int64(2)))
    angles = op.multiply(positions, constant(frequencies.reshape(1, 1, -1)))
    both = op.unsqueeze(op.concat([angles, angles], axis=-1), constant(np.int64(1)))
    return op.cos(both), op.sin(both)


def _rotate(x: Node, rotation: tuple[Node, Node], size: int) -> Node:
    cosine, sine = rotation
    halves = op.variadic_split(x, constant(np.int64(3)), constant(np.array([size // 2, size // 2], np.int64)))
    turned = op.concat([op.multiply(halves.output(1), constant(np.float32(-1))), halves.output(0)], axis=-1)
    return op.add(op.multiply(x, cosine), op.multiply(turned, sine))


def _linear(x: Node, name: str, weights: Weights) -> Node:
    return linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))


def _rms_norm(x: Node, name: str, config: dict[str, Any], weights: Weights) -> Node:
    epsilon = constant(np.float32(config.get("rms_norm_eps", 1e-6)))
    square = op.power(x, constant(np.float32(2)))
    mean = op.reduce_mean(square, constant(np.array([-1], np.int64)), keep_dims=True)
    inverse = op.divide(constant(np.float32(1)), op.sqrt(op.add(mean, epsilon)))
    return op.multiply(op.multiply(x, inverse), constant(weights[f"{name}.weight"]))
