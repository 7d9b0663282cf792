"""Next-line ranking: hand-made ranks, and scores against those of each sequence by itself."""

from pathlib import Path
from typing import Any

import pytest
import torch

from model.evaluation.corpus import Exchange
from model.evaluation.ranking import (
    PACK,
    encode_answer,
    hits_at_1,
    log_likelihoods,
    make_choices,
    mean_reciprocal_rank,
    rank_answers,
    rank_of_first,
    summarise,
)
from model.prompt import Prompt, Turn

CARD = "You are Dwight Schrute."


def exchange(question: str, answer: str, scene: int) -> Exchange:
    return Exchange((Turn("Jim", question, False),), answer, scene)


EXCHANGES = [exchange(f"Question {n}?", f"Answer {n}.", n // 2) for n in range(60)]


def test_hits_and_reciprocal_ranks_of_known_ranks() -> None:
    ranking = summarise([1, 2, 4, 1], 20)
    assert (ranking.contexts, ranking.candidates) == (4, 20)
    assert ranking.hits_at_1 == hits_at_1([1, 2, 4, 1]) == 0.5
    assert ranking.mean_reciprocal_rank == mean_reciprocal_rank([1, 2, 4, 1]) == pytest.approx(2.75 / 4)


@pytest.mark.parametrize(
    ("scores", "rank"), [([3.0, 1.0, 2.0], 1), ([1.0, 3.0, 2.0], 3), ([2.0, 2.0, 1.0], 2), ([0.0] * 20, 20)]
)
def test_a_tie_counts_against_the_true_answer(scores: list[float], rank: int) -> None:
    assert rank_of_first(scores) == rank


def test_distractors_are_nineteen_different_answers_of_other_scenes() -> None:
    for choice in make_choices(EXCHANGES):
        assert choice.candidates[0] == choice.exchange.answer
        assert len(set(choice.candidates)) == 20
        scenes = {other.answer: other.scene for other in EXCHANGES}
        assert choice.exchange.scene not in {scenes[answer] for answer in choice.candidates[1:]}


def test_an_answer_that_is_given_elsewhere_too_is_no_distractor_of_itself() -> None:
    (choice, *_) = make_choices([exchange("Why?", "Fact.", 0), exchange("Who?", "Fact.", 1), exchange("So?", "No.", 1)])
    assert choice.candidates == ("Fact.", "No.")


def test_a_single_scene_lends_its_own_answers() -> None:
    (choice, _) = make_choices([exchange("Why?", "Fact.", 0), exchange("Who?", "Me.", 0)])
    assert choice.candidates == ("Fact.", "Me.")


def test_the_same_seed_draws_the_same_and_the_limit_spreads_contexts() -> None:
    assert make_choices(EXCHANGES, limit=3) == make_choices(EXCHANGES, limit=3) != make_choices(EXCHANGES, 3, seed=1)
    assert [choice.exchange.answer for choice in make_choices(EXCHANGES, limit=3)] == [
        "Answer 0.",
        "Answer 20.",
        "Answer 40.",
    ]


def test_packed_answers_score_as_each_sequence_by_itself(either_base: Path) -> None:
    from model.engines.transformers import load_model

    prompt = Prompt.from_folder(either_base, CARD)
    model = load_model(either_base)
    ids = prompt.encode([Turn("Jim", "Do you like beets, Dwight?", False)], 128)
    answers = [encode_answer(prompt, "beets " * n) for n in (9, 0, 4, 30)]
    together = log_likelihoods(model, ids, answers)
    assert together == pytest.approx([naive(model, ids, answer) for answer in answers], rel=1e-5)


def test_more_answers_than_fit_into_a_pack_keep_their_order(llama_base: Path) -> None:
    from model.engines.transformers import load_model

    prompt = Prompt.from_folder(llama_base)
    model = load_model(llama_base)
    ids = prompt.encode([Turn("Jim", "Bears?", False)], 128)
    answers = [encode_answer(prompt, "beets and bears " * (n % 7)) for n in range(60)]
    assert sum(map(len, answers)) > 2 * PACK
    assert log_likelihoods(model, ids, answers) == pytest.approx(
        [naive(model, ids, answer) for answer in answers], rel=1e-5
    )


def naive(model: Any, prompt: list[int], answer: list[int]) -> float:
    """All logits of one plain sequence, nothing shared."""
    with torch.inference_mode():
        logs = model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
    return sum(float(logs[len(prompt) + i - 1, token]) for i, token in enumerate(answer))


def test_ranks_are_by_what_the_context_adds_not_by_likelihood(llama_base: Path) -> None:
    from model.engines.transformers import load_model

    prompt = Prompt.from_folder(llama_base, CARD)
    model = load_model(llama_base)
    choices = make_choices(EXCHANGES, limit=3)
    for choice, rank in zip(choices, rank_answers(model, prompt, choices), strict=True):
        ids, alone = prompt.encode(choice.exchange.context, 512), prompt.encode([], 512)
        answers = [encode_answer(prompt, answer) for answer in choice.candidates]
        gains = [naive(model, ids, answer) - naive(model, alone, answer) for answer in answers]
        assert rank == 1 + sum(gain > gains[0] for gain in gains[1:])
