"""How well a version predicts what its character really said, on episodes that it has never seen.

The measures are in `model.evaluation`.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.schema import SPLITS, TEST
from model.errors import ModelError
from model.evaluation.likelihood import Examples, bits_per_character, perplexity, score_answers, total
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


def measure(model: "torch.nn.Module", prompt: "Prompt", examples: Examples, progress: str = "") -> "Metrics":
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
