"""How well a version predicts what its character really said, on episodes that it has never seen.

Every metric is a small pure function; `measure` puts them together for one model.
"""

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from data_prep.schema import SPLITS, TEST
from model.errors import ModelError
from model.store import DEFAULT_STORE
from model.training_run import hash_examples

if TYPE_CHECKING:
    import torch

    from model.prompt import Example, Prompt
    from model.store import Version

MAX_LENGTH = 1024  # tokens of card, context and answer together


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `evaluate`."""
    parser.add_argument("--persona", required=True, metavar="NAME", help="id of the persona, such as lisa")
    parser.add_argument("--version", metavar="NAME", help="version to evaluate (default: the live one)")
    parser.add_argument(
        "--examples", type=Path, metavar="DIR", help="folder that data_prep wrote (default: the one it was trained on)"
    )
    parser.add_argument("--split", choices=SPLITS, default=TEST, help="episodes to use (default: %(default)s)")
    parser.add_argument(
        "--limit", type=int, default=0, metavar="N", help="only so many examples, evenly spread; 0: all"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--store", type=Path, default=DEFAULT_STORE, metavar="DIR", help="model store (default: %(default)s)"
    )


def main(args: argparse.Namespace) -> int:
    """Evaluate and print; ModelError for a user's mistake."""
    from model.store import Store

    if args.limit < 0:
        raise ModelError(f"--limit is {args.limit}, but must be 0 or more")
    store = Store(args.store)
    version = store.get(args.persona, args.version) if args.version else store.live(args.persona)
    evaluation = evaluate(version, _examples(version, args.examples), args.split, args.limit)
    print(evaluation.as_json() if args.json else evaluation.as_table())
    return 0


def evaluate(version: "Version", examples: Path, split: str = TEST, limit: int = 0) -> "Evaluation":
    """Measure a version and its base on one split of an examples folder, with a bar for each."""
    from model.dataset import AnswerExamples, read_dialogues
    from model.engines.transformers import load_model
    from model.prompt import Prompt
    from model.zoo import base_folder

    base = base_folder(version.base)
    prompt = Prompt.from_folder(base, version.persona.card)
    dialogues = read_dialogues(examples, split, limit)
    encoded = AnswerExamples(dialogues, prompt, MAX_LENGTH, progress=True)
    return Evaluation(
        version.persona.id,
        version.name,
        split,
        base=measure(load_model(base), prompt, encoded, progress="base"),
        tuned=measure(load_model(version.weights or base, version.adapter), prompt, encoded, progress=version.name),
    )


def measure(model: "torch.nn.Module", prompt: "Prompt", examples: "Examples", progress: str = "") -> "Metrics":
    """All metrics of one model; it is moved to the GPU if there is one."""
    import torch

    model.to("cuda" if torch.cuda.is_available() else "cpu")
    score = total(score_answers(model, examples, progress=progress))
    characters = sum(len(_answer_text(prompt, examples[i])) for i in range(len(examples)))
    return Metrics(len(examples), score.tokens, perplexity(score), bits_per_character(score, characters))


def _answer_text(prompt: "Prompt", example: "Example") -> str:
    return prompt.decode(example.ids[example.answer_start :])


def _examples(version: "Version", chosen: Path | None) -> Path:
    """The folder to measure on. It must be the one that was trained on, for another may hold out other episodes."""
    known = version.manifest.get("settings", {}).get("examples")
    if chosen is None and known is None:
        raise ModelError(f"--examples is required: {version.name} does not say what it was trained on")
    folder = chosen or Path(known)
    expected = version.manifest.get("data", {}).get("examples_sha256")
    if expected and hash_examples(folder) != expected:
        raise ModelError(
            f"{folder} holds other examples than {version.name} was trained on, and so may hold out other episodes"
        )
    return folder


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """What a model makes of true answers: `nats` is -ln p(answer | prompt), over `tokens` tokens."""

    nats: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Metrics:
    """One model on one set of examples; see the functions of the same names."""

    examples: int
    tokens: int
    perplexity: float
    bits_per_character: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A version beside its base: same card, same examples."""

    persona: str
    version: str
    split: str
    base: Metrics
    tuned: Metrics

    def as_json(self) -> str:
        """All of it as a JSON object."""
        return json.dumps(asdict(self), indent=2)

    def as_table(self) -> str:
        """A table for people."""
        lines = [f"{'':<24}{'perplexity':>12}{'bits/character':>16}"]
        for name, metrics in (("base", self.base), (f"{self.persona} {self.version}", self.tuned)):
            lines.append(f"{name:<24}{metrics.perplexity:>12.2f}{metrics.bits_per_character:>16.3f}")
        lines.append(f"{self.base.examples} answers, {self.base.tokens} tokens, {self.split} episodes")
        return "\n".join(lines)


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


def _score_batch(model: "torch.nn.Module", examples: Sequence["Example"]) -> list[AnswerScore]:
    import torch
    from torch.nn.functional import cross_entropy

    from model.dataset import collate

    batch = {name: tensor.to(next(model.parameters()).device) for name, tensor in collate(examples).items()}
    targets = batch.pop("shift_labels")
    batch.pop("labels")  # the model would compute a mean, and each answer's own sum is wanted
    logits = model(**batch).logits.reshape(len(targets), -1)
    nats = cross_entropy(logits.float(), targets, reduction="none")
    answer_lengths = [len(example.ids) - example.answer_start for example in examples]
    return [AnswerScore(float(part.double().sum()), len(part)) for part in torch.split(nats, answer_lengths)]
