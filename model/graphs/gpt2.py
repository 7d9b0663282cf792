"""GPT-2 (Radford et al. 2019): learned positions, layer norm before each block, GELU."""

from typing import Any

import numpy as np
from openvino import opset13 as op

from model.errors import ModelError
from model.graphs.blocks import Attention, Int8Matrix, Node, constant, join_heads, linear, split_heads
from model.weights import Weights

ACTIVATIONS = {"gelu_new": "TANH", "gelu_pytorch_tanh": "TANH", "gelu": "ERF"}


class GPT2:
    """The graph of a GPT-2 type base; see `model.graphs.build_graph`."""

    def __init__(self, config: dict[str, Any], weights: Weights) -> None:
        self.check(config)
        self._gelu = ACTIVATIONS[config.get("activation_function", "gelu_new")]
        self._layers, self._heads, self._width = (int(config[key]) for key in ("n_layer", "n_head", "n_embd"))
        self._epsilon = float(config.get("layer_norm_epsilon", 1e-5))
        self._weights = weights
        self._attention = Attention()

    @staticmethod
    def check(config: dict[str, Any]) -> None:
        """ModelError for a feature that this graph lacks."""
        activation = config.get("activation_function", "gelu_new")
        if activation not in ACTIVATIONS or config.get("scale_attn_by_inverse_layer_idx"):
            raise ModelError(f"a GPT-2 base with activation {activation!r} or per-layer scale has no graph here")

    def build(self) -> Any:
        """Put the layers together."""
        inputs = self._attention.inputs
        embedding = Int8Matrix.quantize(self._weights["wte.weight"])
        positions = op.gather(constant(self._weights["wpe.weight"]), inputs.position_ids, constant(np.int64(0)))
        x = op.add(embedding.rows(inputs.input_ids), positions)
        for layer in range(self._layers):
            x = self._block(x, f"h.{layer}")
        head = self._weights.get("lm_head.weight")
        logits = (embedding if head is None else Int8Matrix.quantize(head)).apply(self._layer_norm(x, "ln_f"))
        return self._attention.finish(logits, "gpt2")

    def _block(self, x: Node, name: str) -> Node:
        x = op.add(x, self._attend(self._layer_norm(x, f"{name}.ln_1"), f"{name}.attn"))
        widened = self._conv1d(self._layer_norm(x, f"{name}.ln_2"), f"{name}.mlp.c_fc")
        return op.add(x, self._conv1d(op.gelu(widened, self._gelu), f"{name}.mlp.c_proj"))

    def _attend(self, x: Node, name: str) -> Node:
        parts = op.split(self._conv1d(x, f"{name}.c_attn"), constant(np.int64(2)), 3).outputs()
        query, key, value = (split_heads(part, self._heads, self._width // self._heads) for part in parts)
        mixed = self._attention.attend(name, query, key, value)
        return self._conv1d(join_heads(mixed, self._width), f"{name}.c_proj")

    def _conv1d(self, x: Node, name: str) -> Node:
        # GPT-2 stores linear layers as [in, out].
        matrix = np.ascontiguousarray(self._weights[f"{name}.weight"].T)
        return linear(x, matrix, self._weights[f"{name}.bias"])

    def _layer_norm(self, x: Node, name: str) -> Node:
        normed = op.mvn(x, constant(np.array([-1], np.int64)), True, self._epsilon, "INSIDE_SQRT")
        scaled = op.multiply(normed, constant(self._weights[f"{name}.weight"]))
        return op.add(scaled, constant(self._weights[f"{name}.bias"]))
