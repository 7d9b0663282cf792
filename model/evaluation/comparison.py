"""A version and its base, measured one after the other by the same means."""

import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from model.dataset import AnswerExamples
from model.engines.transformers import load_model
from model.evaluation.assessment import Assessed, Assessor
from model.evaluation.corpus import Corpus, read_corpus
from model.evaluation.generation import Script, generate_answers
from model.evaluation.likelihood import Examples, bits_per_character, perplexity, score_answers, total
from model.evaluation.ranking import MOST_CONTEXTS, Choice, make_choices, rank_answers, summarise
from model.evaluation.results import Evaluation, Evidence, Figures, Reference
from model.examples import read_dialogues
from model.export import export
from model.persona import Persona
from model.prompt import Prompt
from model.store import Version
from model.zoo import base_folder

if TYPE_CHECKING:
    import torch

MAX_LENGTH = 1024  # tokens of card, context and answer together


@dataclass(frozen=True, slots=True)
class Comparison:
    """An evaluation with what it rests on. `styles_of_others` are the style scores of everyone else's lines."""

    evaluation: Evaluation
    base: Evidence
    tuned: Evidence | None
    truths: Assessed
    styles_of_others: list[float]


def compare(version: Version, examples: Path, split: str, limit: int = 0, episodes: Collection[str] = ()) -> Comparison:
    """Measure a version and its base on one split of an examples folder, with a bar for each step.

    With `episodes`, on these of the split only; with a limit, on at most so many examples, contexts and answers.
    ModelError names what cannot be read.
    """
    base, persona = base_folder(version.base), version.persona
    corpus = read_corpus(examples, split, episodes)
    assessor = Assessor(corpus, persona)  # first, for it needs what may not be installed
    prompt = Prompt.from_folder(base, persona.card)
    encoded = AnswerExamples(read_dialogues(examples, split, limit, episodes), prompt, MAX_LENGTH, progress=True)
    bench = Bench(prompt, encoded, corpus, persona, assessor, limit or MOST_CONTEXTS)
    with tempfile.TemporaryDirectory() as scratch:
        export(base, Path(scratch) / "engine")
        base_figures, base_evidence = bench.measure(load_model(base), Path(scratch) / "engine", "base")
    tuned_figures, tuned_evidence = _measure_tuned(bench, version, base)
    truths = assessor.assess(bench.script.truths)
    reference = Reference(truths.figures, assessor.classification())
    evaluation = Evaluation(persona.id, version.name, split, base_figures, tuned_figures, reference, tuple(episodes))
    return Comparison(evaluation, base_evidence, tuned_evidence, truths, assessor.styles_of_others())


def _measure_tuned(bench: "Bench", version: Version, base: Path) -> tuple[Figures | None, Evidence | None]:
    if version.adapter is None and version.weights is None:
        return None, None
    model = load_model(version.weights or base, version.adapter)
    return bench.measure(model, version.engine_folder, version.name)


class Bench:
    """What every model is put to: the same examples, choices and questions."""

    def __init__(
        self, prompt: Prompt, examples: Examples, corpus: Corpus, persona: Persona, assessor: Assessor, limit: int
    ) -> None:
        self._prompt = prompt
        self._examples = examples
        self._persona = persona
        self._assessor = assessor
        self._choices = make_choices(corpus.exchanges, limit)
        self.script = Script.of(corpus.exchanges, limit)

    def measure(self, model: "torch.nn.Module", engine: Path, name: str) -> tuple[Figures, Evidence]:
        """All figures of one model, given as transformers and as the default engine read it."""
        import torch

        model.to("cuda" if torch.cuda.is_available() else "cpu")
        score = total(score_answers(model, self._examples, progress=f"{name}: likelihood"))
        ranks = rank_answers(model, self._prompt, self._choices, progress=f"{name}: ranking")
        answers = generate_answers(engine, self._persona, self.script, progress=f"{name}: answers")
        assessed = self._assessor.assess(answers)
        figures = Figures(
            examples=len(self._examples),
            tokens=score.tokens,
            perplexity=perplexity(score),
            bits_per_character=bits_per_character(score, count_characters(self._prompt, self._examples)),
            ranking=summarise(ranks, most_candidates(self._choices)),
            generated=assessed.figures,
        )
        return figures, Evidence(ranks, assessed)


def count_characters(prompt: Prompt, examples: Examples) -> int:
    """Characters of all answers, without their closing tokens."""
    each = (examples[i] for i in range(len(examples)))
    return sum(len(prompt.decode(example.ids[example.answer_start :])) for example in each)


def most_candidates(choices: list[Choice]) -> int:
    """How many answers there are to choose from (a small show may have fewer for some contexts)."""
    return max(len(choice.candidates) for choice in choices)
