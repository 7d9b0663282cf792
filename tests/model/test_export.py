"""Parity: what the default engine runs is what transformers computes, but for the rounding to int8."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import openvino
import pytest
import torch

from model.__main__ import main
from model.atomic import read_json
from model.engine import Engine, GenerationSettings
from model.engines.openvino import OpenVINOEngine
from model.engines.transformers import TransformersEngine, load_model
from model.errors import ModelError
from model.export import MODEL_FILE, WEIGHTS_FILE, export
from model.graphs import build_graph
from model.graphs.weights_file import ALIGNMENT, put_matrices_last
from model.prompt import Prompt, Turn
from model.store import Store, Version
from model.weights import Weights

GREEDY = GenerationSettings(max_new_tokens=24, temperature=0, repetition_penalty=1.0)
QUESTIONS = ("Do you like beets, Dwight?", "Tell me about bears.", "Who needs paper anyway?")


@pytest.fixture(scope="module", params=["gpt2-lora", "llama-lora", "gpt2-full"])
def trained(request: pytest.FixtureRequest, examples_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Version:
    """A small model, really trained for some steps and put into a store by the command."""
    kind, method = request.param.split("-")
    base: Path = request.getfixturevalue(f"{kind}_base")
    store = tmp_path_factory.mktemp("store")
    place = ["--examples", str(examples_folder), "--persona", "dwight", "--base", str(base), "--store", str(store)]
    settings = ["--method", method, "--max-steps", "60", "--learning-rate", "0.01", "--rank", "8"]
    assert main(["train", *place, *settings]) == 0
    return Store(store).live("dwight")


def reference(version: Version) -> Any:
    """The version in transformers, in float32."""
    return load_model(version.weights or Path(version.base), version.adapter)


def round_to_int8(model: Any) -> Any:
    """Round the matrices of a model as the export does: symmetric, a scale for each output row."""
    is_gpt2 = model.config.model_type == "gpt2"
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 2 and "wpe" not in name:
                rows = weight.T if is_gpt2 and "wte" not in name else weight
                scale = rows.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
                rows.copy_((rows / scale).round().clamp(-127, 127) * scale)
    return model


def exported_logits(version: Version, ids: Sequence[int]) -> Any:
    """Logits [length, vocabulary] of the exported graph, read in two pieces so that the cache is used."""
    exact = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0", "KV_CACHE_PRECISION": "f32"}
    compiled = openvino.Core().compile_model(version.engine_folder / MODEL_FILE, "CPU", exact)
    request, half, pieces = compiled.create_infer_request(), len(ids) // 2, []
    for start, stop in ((0, half), (half, len(ids))):
        inputs = {
            "input_ids": np.array([ids[start:stop]], np.int64),
            "attention_mask": np.ones((1, stop), np.int64),
            "position_ids": np.arange(start, stop)[None],
            "beam_idx": np.zeros(1, np.int32),
        }
        pieces.append(request.infer(inputs)["logits"][0].copy())
    return np.concatenate(pieces)


def prompts(version: Version) -> list[list[int]]:
    """Prompts of one and of three lines."""
    prompt = Prompt.from_folder(version.engine_folder, version.persona.card)
    histories = [[Turn("", question, False)] for question in QUESTIONS]
    histories.append([Turn("", "Good morning.", False), Turn("", "Fact.", True), Turn("", QUESTIONS[0], False)])
    return [prompt.encode(history, 200) for history in histories]


def test_exported_logits_are_those_of_transformers_with_rounded_weights(trained: Version) -> None:
    rounded = round_to_int8(reference(trained))
    for ids in prompts(trained):
        with torch.inference_mode():
            expected = rounded(torch.tensor([ids])).logits[0].numpy()
        np.testing.assert_allclose(exported_logits(trained, ids), expected, atol=2e-3 * np.abs(expected).max())


def test_matrices_are_moved_behind_all_else_and_no_constant_changes(llama_base: Path, tmp_path: Path) -> None:
    graph, weights = tmp_path / MODEL_FILE, tmp_path / WEIGHTS_FILE
    openvino.save_model(build_graph(read_json(llama_base / "config.json"), Weights(llama_base)), graph, False)
    before = constants(graph)
    put_matrices_last(graph, weights)
    assert constants(graph) == before
    places: dict[bool, list[int]] = {True: [], False: []}
    for data in ElementTree.parse(graph).iter("data"):
        if "offset" in data.attrib:
            places[data.get("element_type") == "i8"].append(int(data.attrib["offset"]))
    assert max(places[False]) < min(places[True])
    assert not any(offset % ALIGNMENT for offset in places[True])
    assert {file.name for file in tmp_path.iterdir()} == {MODEL_FILE, WEIGHTS_FILE}


def constants(graph: Path) -> dict[str, bytes]:
    """The values of all constants by the name of their node."""
    nodes = openvino.Core().read_model(graph).get_ordered_ops()
    return {node.get_friendly_name(): node.get_data().tobytes() for node in nodes if node.get_type_name() == "Constant"}


def test_rounding_moves_the_logits_by_little(trained: Version) -> None:
    model = reference(trained)
    for ids in prompts(trained):
        with torch.inference_mode():
            expected = model(torch.tensor([ids])).logits[0].numpy()
        error = np.linalg.norm(exported_logits(trained, ids) - expected) / np.linalg.norm(expected)
        assert error < 0.05


async def test_both_engines_decode_the_same_greedy_answers(trained: Version) -> None:
    prompt = Prompt.from_folder(trained.engine_folder)
    fast = OpenVINOEngine(trained.engine_folder, prompt)
    slow = TransformersEngine(round_to_int8(reference(trained)), prompt)
    answers = [(await text_of(fast, ids), await text_of(slow, ids)) for ids in prompts(trained)]
    await fast.close()
    await slow.close()
    assert [pair[0] for pair in answers] == [pair[1] for pair in answers]
    assert all(pair[0] for pair in answers)


async def text_of(engine: Engine, ids: Sequence[int]) -> str:
    """The whole greedy answer."""
    return "".join([piece.text async for piece in engine.generate(ids, GREEDY)])


def test_a_base_of_unknown_type_is_refused_and_leaves_nothing(gpt2_base: Path, tmp_path: Path) -> None:
    source = tmp_path / "base"
    source.mkdir()
    for file in gpt2_base.iterdir():
        (source / file.name).write_bytes(file.read_bytes())
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps(config | {"model_type": "mamba"}))
    with pytest.raises(ModelError, match="'mamba' cannot be exported; known types: gpt2, llama"):
        export(source, tmp_path / "engine")
    assert not (tmp_path / "engine").exists()


@pytest.mark.parametrize(
    ("base", "change", "message"),
    [
        ("llama_base", {"rope_parameters": {"rope_type": "llama3", "rope_theta": 1e4}}, "'llama3'"),
        ("llama_base", {"hidden_act": "gelu"}, "'gelu'"),
        ("gpt2_base", {"activation_function": "relu"}, "'relu'"),
    ],
)
def test_a_feature_without_a_graph_is_refused(
    request: pytest.FixtureRequest, tmp_path: Path, base: str, change: dict[str, object], message: str
) -> None:
    folder: Path = request.getfixturevalue(base)
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(ModelError, match=message):
        export(tmp_path, tmp_path / "engine")


@pytest.mark.slow
async def test_gpt2_at_its_true_size_goes_through_training_export_and_both_engines(
    gpt2_124m: Path, examples_folder: Path, tmp_path: Path
) -> None:
    place = ["--examples", str(examples_folder), "--persona", "big", "--base", str(gpt2_124m), "--store", str(tmp_path)]
    size = ["--batch-size", "2", "--max-steps", "4", "--log-every", "1", "--validation-limit", "2"]
    assert main(["train", *place, *size, "--learning-rate", "1e-3"]) == 0
    version = Store(tmp_path).live("big")
    records = (json.loads(line) for line in (version.folder / "metrics.jsonl").read_text().splitlines())
    losses = [record["train_loss"] for record in records if "train_loss" in record]
    assert losses[-1] < losses[0]
    prompt = Prompt.from_folder(version.engine_folder)
    ids = prompt.encode([Turn("", QUESTIONS[0], False)], 200)
    rounded = round_to_int8(reference(version))
    with torch.inference_mode():
        expected = rounded(torch.tensor([ids])).logits[0].numpy()
    np.testing.assert_allclose(exported_logits(version, ids), expected, atol=2e-3 * np.abs(expected).max())
    fast, slow = OpenVINOEngine(version.engine_folder, prompt), TransformersEngine(rounded, prompt)
    assert await text_of(fast, ids)
    assert await text_of(slow, ids)
    await fast.close()
    await slow.close()
