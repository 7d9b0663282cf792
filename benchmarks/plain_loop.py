"""The training loop that a tutorial writes, for comparison: nothing of ours but the examples goes into it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import get_scheduler

from model.dataset import IGNORED, AnswerExamples
from model.prompt import Example
from model.training_settings import TrainingSettings


@dataclass(frozen=True, slots=True)
class Step:
    """One optimiser step: the answers that it learned, the tokens that it computed, and how long it took."""

    answers: int
    tokens: int
    seconds: float


class PlainLoop:
    """The loop of a tutorial over `examples`, endlessly."""

    def __init__(self, model: Any, examples: AnswerExamples, settings: TrainingSettings, dtype: torch.dtype) -> None:
        self._model = model.train()
        self._examples = examples
        self._settings = settings
        self._dtype = dtype
        self._batches = self._random_batches()
        learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._optimizer = torch.optim.AdamW(learning, lr=settings.peak_learning_rate, weight_decay=0.0)
        steps = -(-len(examples) // settings.batch_size)
        self._schedule = get_scheduler(
            settings.schedule, self._optimizer, round(settings.warmup * steps), num_training_steps=steps
        )

    def step(self) -> Step:
        """Learn from the next batch."""
        started = time.perf_counter()
        examples = next(self._batches)
        batch = padded(examples)
        with torch.autocast("cpu", torch.bfloat16) if self._dtype is torch.bfloat16 else nullcontext():
            loss = self._model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()
        self._schedule.step()
        self._optimizer.zero_grad()
        return Step(len(examples), batch["input_ids"].numel(), time.perf_counter() - started)

    def epoch(self) -> None:
        """Learn from every example once."""
        for _ in range(0, len(self._examples), self._settings.batch_size):
            self.step()

    def _random_batches(self) -> Iterator[list[Example]]:
        random = np.random.default_rng(self._settings.seed)
        while True:
            order = random.permutation(len(self._examples))
            for start in range(0, len(order), self._settings.batch_size):
                yield [self._examples[int(i)] for i in order[start : start + self._settings.batch_size]]


def padded(examples: Sequence[Example]) -> dict[str, torch.Tensor]:
    """A batch as a tutorial makes it; all of the shape (examples, longest)."""
    shape = len(examples), max(len(example.ids) for example in examples)
    ids, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    labels = torch.full(shape, IGNORED)
    for row, example in enumerate(examples):
        end = len(example.ids)
        ids[row, :end], mask[row, :end] = torch.tensor(example.ids), 1
        labels[row, example.answer_start : end] = ids[row, example.answer_start : end]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}
