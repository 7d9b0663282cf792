"""Computation graphs of the exported bases, built with OpenVINO's operations from numpy weights."""

from typing import TYPE_CHECKING, Any

from model.errors import ModelError
from model.weights import Weights

if TYPE_CHECKING:
    from model.graphs.gpt2 import GPT2
    from model.graphs.llama import Llama


def build_graph(config: dict[str, Any], weights: Weights) -> Any:
    """The `openvino.Model` of a base with this `config.json`: token ids [batch, length] -> logits
    [batch, length, vocabulary], keys and values kept as state.

    ModelError when the base is of a type that has no graph here, or has a feature that the graph lacks.
    """
    return _graph(config)(config, weights).build()


def check_exportable(config: dict[str, Any]) -> None:
    """Raise what `build_graph` would raise, before any weight is read or trained."""
    _graph(config).check(config)


def _graph(config: dict[str, Any]) -> "type[GPT2 | Llama]":
    from model.graphs.gpt2 import GPT2
    from model.graphs.llama import Llama

    graphs: dict[str, type[GPT2 | Llama]] = {"gpt2": GPT2, "llama": Llama}
    kind = str(config.get("model_type"))
    if kind not in graphs:
        raise ModelError(f"bases of type {kind!r} cannot be exported; known types: {', '.join(graphs)}")
    return graphs[kind]
