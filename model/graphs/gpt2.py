"""GPT-2 (Radford et al. 2019): learned positions, layer norm before each block, GELU."""

from typing import Any

import numpy as np
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
    split_heads,
)
from model.weights import Weights

ACTIVATIONS = {"gelu_new": "TANH", "gelu_pytorch_tanh": "TANH", "gelu": "ERF"}


def build(config: dict[str, Any], weights: Weights) -> Any:
    """The graph of a GPT-2 type base; see `model.graphs.build_graph`."""
    activation = config.get("activation_function", "gelu_new")
    if activation not in ACTIVATIONS or config.get("scale_attn_by_inverse_layer_idx"):
        raise ModelError(f"a GPT-2 base with activation {activation!r} or per-layer attention scale has no graph here")
    inputs = make_inputs()
    cache = Cache(inputs)
    embedding = Int8Matrix.quantize(weights["wte.weight"])
    positions = op.gather(constant(weights["wpe.weight"]), inputs.position_ids, constant(np.int64(0)))
    x = op.add(embedding.rows(inputs.input_ids), positions)
    for layer in range(int(config["n_layer"])):
        x = _block(x, f"h.{layer}", config, weights, inputs, cache)
    x = _layer_norm(x, "ln_f", config, weights)
    head = Int8Matrix.quantize(weights["lm_head.weight"]) if "lm_head.weight" in weights else embedding
    return finish(head.apply(x), inputs, cache, "gpt2")


def _block(x: Node, name: str, config: dict[str, Any], weights: Weights, inputs: Inputs, cache: Cache) -> Node:
    normed = _layer_norm(x, f"{name}.ln_1", config, weights)
    x = op.add(x, _attention(normed, f"{name}.attn", config, weights, inputs, cache))
    normed = _layer_norm(x, f"{name}.ln_2", config, weights)
    widened = _conv1d(normed, f"{name}.mlp.c_fc", weights)
    active = op.gelu(widened, ACTIVATIONS[config.get("activation_function", "gelu_new")])
    return op.add(x, _conv1d(active, f"{name}.mlp.c_proj", weights))


def _attention(x: Node, name: str, config: dict[str, Any], weights: Weights, inputs: Inputs, cache: Cache) -> Node:
    heads, width = int(config["n_head"]), int(config["n_embd"])
    size = width // heads
    parts = op.split(_conv1d(x, f"{name}.c_attn", weights), constant(np.int64(2)), 3).outputs()
    query, key, value = (split_heads(part, heads, size) for part in parts)
    keys = cache.extend(f"{name}.key", key, heads, size)
    values = cache.extend(f"{name}.value", value, heads, size)
    return _conv1d(join_heads(attend(query, keys, values, inputs), width), f"{name}.c_proj", weights)


def _conv1d(x: Node, name: str, weights: Weights) -> Node:
    # GPT-2 stores linear layers as [in, out].
    return linear(x, np.ascontiguousarray(weights[f"{name}.weight"].T), weights[f"{name}.bias"])


def _layer_norm(x: Node, name: str, config: dict[str, Any], weights: Weights) -> Node:
    epsilon = float(config.get("layer_norm_epsilon", 1e-5))
    normed = op.mvn(x, constant(np.array([-1], np.int64)), True, epsilon, "INSIDE_SQRT")
    return op.add(op.multiply(normed, constant(weights[f"{name}.weight"])), constant(weights[f"{name}.bias"]))
