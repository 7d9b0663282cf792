"""Base (and adapter) -> the folder that the default engine reads. Needs no torch."""

import shutil
from pathlib import Path

from model.atomic import read_json

MODEL_FILE, WEIGHTS_FILE = "openvino_model.xml", "openvino_model.bin"  # the library names the latter


def export(base: Path, target: Path, adapter: Path | None = None) -> None:
    """Write int8 graph, config and tokenizer into the new folder `target`.

    `base` is a folder in the hub's layout, `adapter` a PEFT LoRA folder to merge into it. ModelError names what
    cannot be read or has no graph.
    """
    import openvino

    from model.graphs import build_graph
    from model.graphs.weights_file import put_matrices_last
    from model.weights import Weights

    graph = build_graph(read_json(base / "config.json"), Weights(base, adapter))
    target.mkdir(parents=True)
    openvino.save_model(graph, target / MODEL_FILE, compress_to_fp16=False)
    put_matrices_last(target / MODEL_FILE, target / WEIGHTS_FILE)
    for name in ("config.json", "tokenizer.json"):
        shutil.copyfile(base / name, target / name)
