"""The pieces that both graphs share: inputs, int8 weights, attention with cached keys and values.

Node and input names matter: the continuous-batching pipeline finds the inputs by friendly name, and replaces each
read-gather-concatenate-attend chain by paged attention.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import openvino as ov
from openvino import Type
from openvino import opset13 as op
from openvino.op.util import VariableInfo
from openvino.utils.types import NumericData

from model.weights import FloatArray

Node = Any  # openvino's nodes are untyped


@dataclass(frozen=True, slots=True)
class Inputs:
    """The four inputs of every graph, and what attention derives from them once for all layers."""

    input_ids: Node  # [batch, length]
    attention_mask: Node  # [batch, past + length]
    position_ids: Node  # [batch, length]
    beam_idx: Node  # [batch]
    causal_mask: Node  # [1, 1, length, past + length], 0 or -inf

    @property
    def parameters(self) -> list[Node]:
        """In the order in which the model lists them."""
        return [self.input_ids, self.attention_mask, self.position_ids, self.beam_idx]


def make_inputs() -> Inputs:
    """Parameters of dynamic shape, named as the pipeline expects."""
    ids = _parameter([-1, -1], "input_ids")
    mask = _parameter([-1, -1], "attention_mask")
    positions = _parameter([-1, -1], "position_ids")
    beams = op.parameter([-1], Type.i32, name="beam_idx")
    beams.output(0).tensor.set_names({"beam_idx"})
    return Inputs(ids, mask, positions, beams, _causal_mask(ids, mask))


def _parameter(shape: list[int], name: str) -> Node:
    node = op.parameter(shape, Type.i64, name=name)
    node.output(0).tensor.set_names({name})
    return node


def _causal_mask(input_ids: Node, attention_mask: Node) -> Node:
    length = _dimension(input_ids, 1)
    total = _dimension(attention_mask, 1)
    one, zero = constant(np.int64(1)), constant(np.int64(0))
    keys = op.range(zero, total, one, Type.i64)
    queries = op.unsqueeze(op.range(op.subtract(total, length), total, one, Type.i64), constant(np.int64(1)))
    visible = op.less_equal(keys, queries)
    mask = op.select(visible, constant(np.float32(0)), constant(np.float32(-np.inf)))
    return op.unsqueeze(mask, constant(np.array([0, 1], np.int64)))


def _dimension(node: Node, axis: int) -> Node:
    return op.gather(op.shape_of(node, Type.i64), constant(np.int64(axis)), constant(np.int64(0)))


def constant(value: NumericData) -> Node:
    """A constant of the value's own type."""
    return op.constant(value)


@dataclass(frozen=True, slots=True)
class Int8Matrix:
    """A matrix [rows, columns] as int8 with one scale a row: symmetric, round to nearest."""

    values: Node  # int8 [rows, columns]
    scales: Node  # float32 [rows, 1]

    @classmethod
    def quantize(cls, matrix: FloatArray) -> "Int8Matrix":
        """Scale each row so that its largest entry is 127."""
        scales = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-12) / np.float32(127)
        values = np.clip(np.rint(matrix / scales), -127, 127).astype(np.int8)
        return cls(op.constant(values), op.constant(scales.astype(np.float32)))

    def rows(self, ids: Node) -> Node:
        """The rows that `ids` [batch, length] name, as float32 [batch, length, columns]."""
        axis = constant(np.int64(0))
        rows = op.convert(op.gather(self.values, ids, axis), Type.f32)
        return op.multiply(rows, op.gather(self.scales, ids, axis))

    def apply(self, x: Node, bias: FloatArray | None = None) -> Node:
        """x [..., columns] times the matrix transposed, plus `bias` [rows]: float32 [..., rows]."""
        matrix = op.multiply(op.convert(self.values, Type.f32), self.scales)
        product = op.matmul(x, matrix, transpose_a=False, transpose_b=True)
        return product if bias is None else op.add(product, constant(bias.reshape(1, 1, -1)))


def linear(x: Node, weight: FloatArray, bias: FloatArray | None = None) -> Node:
    """A linear layer with `weight` [out, in], stored in int8."""
    return Int8Matrix.quantize(weight).apply(x, bias)


def split_heads(x: Node, heads: int, size: int) -> Node:
    """[batch, length, heads * size] -> [batch, heads, length, size]."""
    parted = op.reshape(x, constant(np.array([0, 0, heads, size], np.int64)), special_zero=True)
    return op.transpose(parted, constant(np.array([0, 2, 1, 3], np.int64)))


def join_heads(x: Node, width: int) -> Node:
    """[batch, heads, length, size] -> [batch, length, width]."""
    ordered = op.transpose(x, constant(np.array([0, 2, 1, 3], np.int64)))
    return op.reshape(ordered, constant(np.array([0, 0, width], np.int64)), special_zero=True)


class Attention:
    """Causal attention over the keys and values of all calls so far, which each layer keeps as model state."""

    def __init__(self) -> None:
        self.inputs = make_inputs()
        self._batch = _dimension(self.inputs.input_ids, 0)
        self._assignments: list[Node] = []

    def attend(self, name: str, query: Node, key: Node, value: Node) -> Node:
        """Attention of layer `name`, scaled by the square root of the head size.

        query [batch, heads, length, size]; key and value [batch, groups, length, size], where each group serves
        heads / groups query heads (Ainslie et al. 2023). Gives [batch, heads, length, size].
        """
        keys = _serve_heads(self._remember(f"{name}.key", key), _heads(query))
        values = _serve_heads(self._remember(f"{name}.value", value), _heads(query))
        return op.scaled_dot_product_attention(query, keys, values, self.inputs.causal_mask, causal=False)

    def finish(self, logits: Node, name: str) -> Any:
        """The model with one output, `logits`."""
        result = op.result(logits, name="logits")
        result.output(0).tensor.set_names({"logits"})
        return ov.Model([result], self._assignments, self.inputs.parameters, name)

    def _remember(self, name: str, x: Node) -> Node:
        """Append x [batch, groups, length, size] to state `name`; gives [batch, groups, past + length, size]."""
        groups, size = _heads(x), _size(x)
        info = VariableInfo()
        info.data_shape, info.data_type = ov.PartialShape([-1, groups, -1, size]), Type.f32
        info.variable_id = name
        variable = ov.op.util.Variable(info)
        rest = constant(np.array([groups, 0, size], np.int64))
        empty_shape = op.concat([op.unsqueeze(self._batch, constant(np.int64(0))), rest], axis=0)
        empty = op.broadcast(constant(np.float32(0)), empty_shape)
        past = op.gather(op.read_value(empty, variable), self.inputs.beam_idx, constant(np.int64(0)))
        joined = op.concat([past, x], axis=2)
        self._assignments.append(op.assign(joined, variable))
        return joined


def _serve_heads(x: Node, heads: int) -> Node:
    """Repeat each group of x [batch, groups, length, size] until there are as many as query heads."""
    groups, size = _heads(x), _size(x)
    if groups == heads:
        return x
    shape = op.shape_of(x, Type.i64)
    axis = constant(np.int64(0))
    take = [op.gather(shape, constant(np.array([i], np.int64)), axis) for i in range(4)]
    wide = op.concat([take[0], take[1], constant(np.array([heads // groups], np.int64)), take[2], take[3]], axis=0)
    spread = op.broadcast(op.unsqueeze(x, constant(np.int64(2))), wide, "BIDIRECTIONAL")
    return op.reshape(spread, constant(np.array([0, heads, -1, size], np.int64)), special_zero=True)


def _heads(x: Node) -> int:
    return int(x.get_output_partial_shape(0)[1].get_length())


def _size(x: Node) -> int:
    return int(x.get_output_partial_shape(0)[3].get_length())
