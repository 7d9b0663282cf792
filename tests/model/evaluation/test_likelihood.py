"""Likelihood, on cases whose results can be worked out by hand."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from model.evaluation.likelihood import AnswerScore, bits_per_character, perplexity, score_answers, total
from model.prompt import Example, Prompt, Turn

VOCABULARY = 400
EXAMPLES = [Example([1, 2, 3, 4, 5], 2), Example([6, 7], 1), Example([8, 9, 10], 2)]


class UniformModel(torch.nn.Module):
    """Thinks every token equally likely."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, input_ids: torch.Tensor, logits_to_keep: torch.Tensor, **rest: Any) -> SimpleNamespace:
        return SimpleNamespace(logits=torch.zeros(int(logits_to_keep.sum()), VOCABULARY))


class CertainModel(UniformModel):
    """Knows that each token is followed by its number plus one."""

    def forward(self, input_ids: torch.Tensor, logits_to_keep: torch.Tensor, **rest: Any) -> SimpleNamespace:
        successors = input_ids[logits_to_keep] + 1
        return SimpleNamespace(logits=1000.0 * torch.nn.functional.one_hot(successors, VOCABULARY))


def test_uniform_logits_have_the_vocabulary_as_their_perplexity() -> None:
    assert perplexity(total(score_answers(UniformModel(), EXAMPLES))) == pytest.approx(VOCABULARY)


def test_certainty_of_the_truth_has_perplexity_one() -> None:
    assert perplexity(total(score_answers(CertainModel(), EXAMPLES))) == pytest.approx(1.0)


def test_scores_come_in_the_order_of_the_examples_and_count_answer_tokens_alone() -> None:
    scores = score_answers(UniformModel(), EXAMPLES, batch_size=2)
    assert [score.tokens for score in scores] == [3, 1, 1]
    assert [score.nats for score in scores] == pytest.approx([n * math.log(VOCABULARY) for n in (3, 1, 1)])


def test_bits_per_character_of_a_fair_coin_for_each_character_is_one() -> None:
    assert bits_per_character(AnswerScore(nats=10 * math.log(2), tokens=3), characters=10) == pytest.approx(1.0)


def test_perplexity_weighs_tokens_not_answers() -> None:
    score = total([AnswerScore(nats=3 * math.log(8), tokens=3), AnswerScore(nats=math.log(2), tokens=1)])
    assert perplexity(score) == pytest.approx((8**3 * 2) ** (1 / 4))


def test_batches_and_padding_do_not_change_a_score(either_base: Path) -> None:
    from model.engines.transformers import load_model

    prompt = Prompt.from_folder(either_base)
    context = [Turn("Jim", "Do you like beets, Dwight?", False)]
    examples = [prompt.encode_example(context, "beets " * n, 128) for n in (9, 1, 4)]
    model = load_model(either_base)
    together = score_answers(model, examples, batch_size=3)
    assert [score.nats for score in together] == pytest.approx([naive_score(model, example) for example in examples])


def naive_score(model: Any, example: Example) -> float:
    """Token by token, with all logits of one unpadded example."""
    with torch.inference_mode():
        logs = model(torch.tensor([example.ids])).logits[0].log_softmax(-1)
    return -sum(float(logs[i - 1, example.ids[i]]) for i in range(example.answer_start, len(example.ids)))
