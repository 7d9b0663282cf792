"""Next-line ranking: does a model tell what was really answered from what was said elsewhere?"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.evaluation.corpus import Exchange
from model.examples import spread

if TYPE_CHECKING:
    import torch

    from model.prompt import Prompt

DISTRACTORS = 19
MOST_CONTEXTS = 200
MAX_CONTEXT = 512  # tokens of card and context
MAX_ANSWER = 128  # tokens of an answer
PACK = 512  # tokens of answers read at once


@dataclass(frozen=True, slots=True)
class Ranking:
    """How well true answers are found among `candidates`; see the functions of the same names."""

    contexts: int
    candidates: int
    hits_at_1: float
    mean_reciprocal_rank: float


@dataclass(frozen=True, slots=True)
class Choice:
    """A context, and the answers to choose from; the true one is the first."""

    exchange: Exchange
    candidates: tuple[str, ...]


def make_choices(exchanges: Sequence[Exchange], limit: int = MOST_CONTEXTS, seed: int = 0) -> list[Choice]:
    """At most `limit` contexts (200 unless told), evenly spread, each with 19 answers drawn from other scenes.

    Where other scenes have too few, there are fewer; where there is no other scene, the same one's are taken.
    """
    draw = random.Random(seed)
    return [_choice(exchange, exchanges, draw) for exchange in spread(exchanges, min(limit, MOST_CONTEXTS))]


def _choice(exchange: Exchange, exchanges: Sequence[Exchange], draw: random.Random) -> Choice:
    elsewhere = {other.answer for other in exchanges if other.scene != exchange.scene} - {exchange.answer}
    pool = sorted(elsewhere or {other.answer for other in exchanges} - {exchange.answer})
    return Choice(exchange, (exchange.answer, *draw.sample(pool, min(DISTRACTORS, len(pool)))))


def summarise(ranks: Sequence[int], candidates: int) -> Ranking:
    """The figures of the ranks (from 1) that true answers got among so many candidates."""
    return Ranking(len(ranks), candidates, hits_at_1(ranks), mean_reciprocal_rank(ranks))


def hits_at_1(ranks: Sequence[int]) -> float:
    """Share of contexts whose true answer is ranked first, as for PersonaChat (Zhang et al. 2018); chance is 1/20.

    It is there because it asks for the answer to *this* line, which perplexity hardly does. It hides how close the
    others came, that some distractors would be good answers too, and whether the model could write such an answer.
    With 200 contexts its standard error is about 0.03.
    """
    return sum(rank == 1 for rank in ranks) / len(ranks)


def mean_reciprocal_rank(ranks: Sequence[int]) -> float:
    """Mean of 1/rank (Voorhees 1999); chance among 20 is 0.18.

    Steadier than hits@1, since a second place counts for something. It hides what hits@1 hides.
    """
    return sum(1 / rank for rank in ranks) / len(ranks)


def rank_of_first(scores: Sequence[float]) -> int:
    """The rank of the first score, 1 for the highest; equal ones count as better, so that no tie flatters."""
    return sum(score >= scores[0] for score in scores)


def rank_answers(
    model: "torch.nn.Module",
    prompt: "Prompt",
    choices: Sequence[Choice],
    progress: str = "",
    counted: Callable[[], object] = lambda: None,
) -> list[int]:
    """The rank of each true answer by pointwise mutual information, ln p(answer | context) - ln p(answer | card).

    (Li et al. 2016.) Plain likelihood would put short, common answers first whatever was said. Both terms are sums
    over the tokens with the closing one. A bar with the title `progress`, if one is given; `counted` is called after
    each choice.
    """
    from tqdm import tqdm

    model.eval()
    answers = sorted({answer for choice in choices for answer in choice.candidates})
    encoded = {answer: encode_answer(prompt, answer) for answer in answers}
    alone = dict(
        zip(answers, log_likelihoods(model, prompt.encode([], MAX_CONTEXT), list(encoded.values())), strict=True)
    )
    ranks = []
    for choice in tqdm(choices, desc=progress, unit="context", leave=False, disable=not progress):
        ids = prompt.encode(choice.exchange.context, MAX_CONTEXT)
        given = log_likelihoods(model, ids, [encoded[answer] for answer in choice.candidates])
        pairs = zip(given, choice.candidates, strict=True)
        ranks.append(rank_of_first([score - alone[answer] for score, answer in pairs]))
        counted()
    return ranks


def encode_answer(prompt: "Prompt", answer: str) -> list[int]:
    """Ids of an answer with its closing token, at most 128."""
    example = prompt.encode_example([], answer, MAX_CONTEXT)
    return example.ids[example.answer_start :][:MAX_ANSWER]


def log_likelihoods(model: "torch.nn.Module", prompt: list[int], answers: Sequence[list[int]]) -> list[float]:
    """ln p(answer | prompt) in nats of each answer, given as ids."""
    scores: list[float] = []
    for pack in _packs(answers):
        scores += _score_pack(model, prompt, pack)
    return scores


def _packs(answers: Sequence[list[int]]) -> Iterator[list[list[int]]]:
    pack: list[list[int]] = []
    for answer in answers:
        if pack and sum(map(len, pack)) + len(answer) > PACK:
            yield pack
            pack = []
        pack.append(answer)
    yield pack


def _score_pack(model: "torch.nn.Module", prompt: list[int], answers: Sequence[list[int]]) -> list[float]:
    """Read the prompt once and all answers after it, in one row of (tokens of all) without any padding.

    Lengths differ so much that padding would more than double the work. Each answer stands at the positions that
    follow the prompt's, and sees the prompt and itself alone.
    """
    import torch

    device = next(model.parameters()).device
    # An answer's last token is only predicted, never read.
    ids = torch.tensor([*prompt, *(token for answer in answers for token in answer[:-1])], device=device)
    owner = torch.tensor([-1] * len(prompt) + [n for n, answer in enumerate(answers) for _ in answer[:-1]])
    order = [*range(len(prompt)), *(len(prompt) + i for answer in answers for i in range(len(answer) - 1))]
    sees = torch.ones(len(ids), len(ids), dtype=torch.bool).tril() & (
        (owner == -1)[None, :] | (owner[:, None] == owner[None, :])
    )
    mask = torch.zeros(sees.shape).masked_fill(~sees, torch.finfo(torch.float32).min)
    with torch.inference_mode():
        logits = model(
            input_ids=ids[None],
            attention_mask=mask[None, None].to(device),
            position_ids=torch.tensor([order], device=device),
            logits_to_keep=len(ids) - len(prompt) + 1,
            use_cache=False,
        ).logits[0]
    return _sums(logits.float().log_softmax(-1).cpu(), answers)


def _sums(logs: "torch.Tensor", answers: Sequence[list[int]]) -> list[float]:
    """Log-likelihoods of answers whose tokens are predicted by row 0 (their first) and by the rows after it."""
    sums, row = [], 1
    for answer in answers:
        rows = [0, *range(row, row + len(answer) - 1)]
        sums.append(float(logs[rows, answer].double().sum()))
        row += len(answer) - 1
    return sums
