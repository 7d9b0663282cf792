"""Llama-type bases (Touvron et al. 2023): rotary positions, RMS norm, gated MLP, grouped-query attention."""

from typing import Any

import numpy as np
from openvino import Type
from openvino import opset13 as op

from model.errors import ModelError
from model.graphs.blocks import Attention, Int8Matrix, Node, constant, join_heads, linear, split_heads
from model.weights import Weights


class Llama:
    """The graph of a llama-type base; see `model.graphs.build_graph`."""

    def __init__(self, config: dict[str, Any], weights: Weights) -> None:
        self.check(config)
        self._layers, self._heads = int(config["num_hidden_layers"]), int(config["num_attention_heads"])
        self._groups = int(config.get("num_key_value_heads") or self._heads)
        self._size = int(config.get("head_dim") or config["hidden_size"] // self._heads)
        self._epsilon = np.float32(config.get("rms_norm_eps", 1e-6))
        rope = config.get("rope_parameters") or {}
        self._rope_base = float(rope.get("rope_theta") or config.get("rope_theta") or 10000.0)
        self._weights = weights
        self._attention = Attention()
        self._cosine, self._sine = self._rotation()

    @staticmethod
    def check(config: dict[str, Any]) -> None:
        """ModelError for a feature that this graph lacks."""
        rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
        kind = rope.get("rope_type", rope.get("type", "default"))
        if kind != "default":
            raise ModelError(f"a llama base with rotary positions of type {kind!r} has no graph here")
        if config.get("hidden_act", "silu") != "silu":
            raise ModelError(f"a llama base with activation {config['hidden_act']!r} has no graph here")

    def build(self) -> Any:
        """Put the layers together."""
        embedding = Int8Matrix.quantize(self._weights["model.embed_tokens.weight"])
        x = embedding.rows(self._attention.inputs.input_ids)
        for layer in range(self._layers):
            x = self._block(x, f"model.layers.{layer}")
        head = self._weights.get("lm_head.weight")
        logits = (embedding if head is None else Int8Matrix.quantize(head)).apply(self._rms_norm(x, "model.norm"))
        return self._attention.finish(logits, "llama")

    def _block(self, x: Node, name: str) -> Node:
        x = op.add(x, self._attend(self._rms_norm(x, f"{name}.input_layernorm"), f"{name}.self_attn"))
        normed = self._rms_norm(x, f"{name}.post_attention_layernorm")
        gate = op.swish(self._linear(normed, f"{name}.mlp.gate_proj"))
        gated = op.multiply(gate, self._linear(normed, f"{name}.mlp.up_proj"))
        return op.add(x, self._linear(gated, f"{name}.mlp.down_proj"))

    def _attend(self, x: Node, name: str) -> Node:
        query = self._rotate(split_heads(self._linear(x, f"{name}.q_proj"), self._heads, self._size))
        key = self._rotate(split_heads(self._linear(x, f"{name}.k_proj"), self._groups, self._size))
        value = split_heads(self._linear(x, f"{name}.v_proj"), self._groups, self._size)
        mixed = self._attention.attend(name, query, key, value)
        return self._linear(join_heads(mixed, self._heads * self._size), f"{name}.o_proj")

    def _rotation(self) -> tuple[Node, Node]:
        """Cosine and sine of the rotary angles, each [batch, 1, length, head size] (Su et al. 2021)."""
        frequencies = self._rope_base ** -(np.arange(0, self._size, 2, dtype=np.float32) / self._size)
        positions = op.unsqueeze(op.convert(self._attention.inputs.position_ids, Type.f32), constant(np.int64(2)))
        angles = op.multiply(positions, constant(frequencies.astype(np.float32).reshape(1, 1, -1)))
        both = op.unsqueeze(op.concat([angles, angles], axis=-1), constant(np.int64(1)))
        return op.cos(both), op.sin(both)

    def _rotate(self, x: Node) -> Node:
        # Axis 3, not -1: the library fuses this pattern into one operation only as it is written here.
        half = self._size // 2
        halves = op.variadic_split(x, constant(np.int64(3)), constant(np.array([half, half], np.int64)))
        turned = op.concat([op.multiply(halves.output(1), constant(np.float32(-1))), halves.output(0)], axis=-1)
        return op.add(op.multiply(x, self._cosine), op.multiply(turned, self._sine))

    def _linear(self, x: Node, name: str) -> Node:
        return linear(x, self._weights[f"{name}.weight"], self._weights.get(f"{name}.bias"))

    def _rms_norm(self, x: Node, name: str) -> Node:
        mean = op.reduce_mean(op.power(x, constant(np.float32(2))), constant(np.array([-1], np.int64)), keep_dims=True)
        inverse = op.divide(constant(np.float32(1)), op.sqrt(op.add(mean, constant(self._epsilon))))
        return op.multiply(op.multiply(x, inverse), constant(self._weights[f"{name}.weight"]))
