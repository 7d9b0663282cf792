"""What the export's fewer bits cost: perplexity of answers that training has not seen, before and after it.

The answers are those of the demo script's test episodes, each after its context as the bot puts it to the model.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from benchmarks.speed.results import Quantization
from benchmarks.speed.workloads import SCRIPT
from model.character import MAX_CONTEXT
from model.evaluation.likelihood import AnswerScore, perplexity, score_answers, total
from model.examples import read_dialogues
from model.export import MODEL_FILE
from model.persona import SHIPPED, read_persona
from model.prompt import Example, Prompt

if TYPE_CHECKING:
    import torch

CHARACTER = "Lisa Simpson"


def measure(base: Path, exported: Path, answers: int) -> Quantization:
    """Score so many answers with the base in float32 and with its export; `base` has Lisa's weights."""
    examples = _examples(base, answers)
    before = perplexity(total(score_answers(_reference(base), examples, 1, progress="Perplexity in float32")))
    after = total(_score_export(exported, examples))
    return Quantization(len(examples), after.tokens, before, perplexity(after))


def _examples(base: Path, number: int) -> list[Example]:
    from data_prep.preparation import Request, prepare

    prompt = Prompt.from_folder(base, read_persona(SHIPPED / "lisa" / "persona.toml").card)
    with tempfile.TemporaryDirectory() as scratch:
        prepare(Request(SCRIPT, CHARACTER, Path(scratch) / "lisa"))
        dialogues = read_dialogues(Path(scratch) / "lisa", "test", number)
    return [prompt.encode_example(dialogue.context, dialogue.answer, MAX_CONTEXT) for dialogue in dialogues]


def _reference(base: Path) -> "torch.nn.Module":
    from model.engines.transformers import load_model

    return load_model(base)


def _score_export(folder: Path, examples: Sequence[Example]) -> Iterator[AnswerScore]:
    """Each answer's score from the exported graph, run with the library's own settings."""
    import openvino

    request = openvino.Core().compile_model(folder / MODEL_FILE, "CPU").create_infer_request()
    for example in tqdm(examples, desc="Perplexity as exported", unit="answer", leave=False, disable=None):
        request.reset_state()
        positions = np.arange(len(example.ids))[None]
        inputs = {"input_ids": [example.ids], "attention_mask": np.ones_like(positions), "position_ids": positions}
        logits = request.infer(inputs | {"beam_idx": np.zeros(1, np.int32)})["logits"][0]
        answer = example.ids[example.answer_start :]
        yield AnswerScore(_nats(logits[example.answer_start - 1 : -1].astype(np.float64), answer), len(answer))


def _nats(logits: "np.ndarray[tuple[int, int], np.dtype[np.float64]]", ids: Sequence[int]) -> float:
    """-ln p(ids) by logits [length, vocabulary]."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return float((np.log(np.exp(shifted).sum(axis=-1)) - shifted[np.arange(len(ids)), ids]).sum())
