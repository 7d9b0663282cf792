"""How well a model predicts true answers: the log-likelihood that it gives them, and measures made of it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch

    from model.prompt import Example


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """What a model makes of true answers: `nats` is -ln p(answer | prompt), over `tokens` tokens."""

    nats: float
    tokens: int


class Examples(Protocol):
    """Anything with a length and examples by number."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> "Example": ...


def perplexity(score: AnswerScore) -> float:
    """exp(-1/N sum ln p(token_i | prompt, tokens before it)) over all N answer tokens, the closing one included.

    (Jelinek et al. 1977.) It says how many tokens the model wavers between. It hides how the answers read when
    generated, and compares only models that share a tokenizer.
    """
    return math.exp(score.nats / score.tokens)


def bits_per_character(score: AnswerScore, characters: int) -> float:
    """-log2 p(answers) / characters: the bits that it takes to write a character of the answers down.

    Unlike perplexity it compares models whatever their tokenizers (Shannon 1951 estimates about 1 for English).
    The bits that say where an answer ends are counted in; it hides the same as perplexity.
    """
    return score.nats / math.log(2) / characters


def total(scores: Iterable[AnswerScore]) -> AnswerScore:
    """The score of all answers together."""
    scores = list(scores)
    return AnswerScore(math.fsum(score.nats for score in scores), sum(score.tokens for score in scores))


def score_answers(
    model: "torch.nn.Module", examples: Examples, batch_size: int = 16, progress: str = ""
) -> list[AnswerScore]:
    """Score each example's answer, closing token included; a bar with the title `progress`, if one is given.

    The model is a causal LM that takes `logits_to_keep` as a mask; it is left in evaluation mode.
    """
    import torch
    from tqdm import tqdm

    model.eval()
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    scores: dict[int, AnswerScore] = {}
    with torch.inference_mode():
        for batch in tqdm(batches, desc=progress, unit="batch", leave=False, disable=not progress):
            scores.update(zip(batch, _score_batch(model, [examples[i] for i in batch]), strict=True))
    return [scores[i] for i in range(len(examples))]


def answer_logits(model: "torch.nn.Module", batch: dict[str, "torch.Tensor"]) -> "torch.Tensor":
    """Logits of the answers' tokens, (tokens, vocabulary), for a batch that `model.dataset.collate` made.

    The shared prefix is read once, and its keys and values serve every example; so do their gradients in training. This
    is exact, and with a persona card about twice as fast as reading the card with every example.
    """
    import torch

    inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "logits_to_keep")}
    examples, prefix = len(inputs["input_ids"]), len(batch["prefix_ids"])
    if prefix:
        known = model(input_ids=batch["prefix_ids"][None], use_cache=True, logits_to_keep=1).cache
        known.batch_repeat_interleave(examples)
        seen = inputs["attention_mask"].new_ones(examples, prefix)
        inputs |= {"cache": known, "attention_mask": torch.cat([seen, inputs["attention_mask"]], dim=1)}
    logits: torch.Tensor = model(**inputs).logits
    return logits.reshape(len(batch["shift_labels"]), -1)


def _score_batch(model: "torch.nn.Module", examples: Sequence["Example"]) -> list[AnswerScore]:
    import torch
    from torch.nn.functional import cross_entropy

    from model.dataset import collate

    batch = {name: tensor.to(next(model.parameters()).device) for name, tensor in collate(examples).items()}
    nats = cross_entropy(answer_logits(model, batch).float(), batch["shift_labels"], reduction="none")
    answer_lengths = [len(example.ids) - example.answer_start for example in examples]
    return [AnswerScore(float(part.double().sum()), len(part)) for part in torch.split(nats, answer_lengths)]
