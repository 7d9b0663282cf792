"""What the gate measures of a version, line by line, so that two versions can be compared on the same lines."""

from collections.abc import Callable, Sequence
from pathlib import Path

from data_prep.schema import TEST
from model.dataset import AnswerExamples
from model.engines.transformers import load_model
from model.errors import ModelError
from model.evaluation.copying import SHORTEST_LINE, TrainingLines
from model.evaluation.corpus import Exchange, read_corpus
from model.evaluation.diversity import repetition_within
from model.evaluation.generation import Script, generate_answers
from model.evaluation.likelihood import score_answers
from model.evaluation.ranking import make_choices, rank_answers
from model.examples import Dialogue, hash_examples, spread
from model.persona import Persona
from model.prompt import Prompt
from model.retraining.gate import AnswerReadings, Readings, Sample
from model.sentences import words
from model.sources import read_sources
from model.store import Version
from model.zoo import base_folder

MAX_LENGTH = 1024  # tokens of card, context and answer together, as in the evaluation
STEPS = 2  # of each version for each line that are counted: ranking and answering


class Bench:
    """What both versions are put to: the same lines, the same wrong answers to choose from, the same seeds.

    At most `most` held-out lines are used, evenly spread; those that the live version has learned are left out, as it
    has where it was made from another script, with other episodes held out. ModelError if nothing is left.
    """

    def __init__(self, examples: Path, live: Version, most: int) -> None:
        corpus = read_corpus(examples, TEST)
        exchanges = corpus.exchanges if _learned_from(live, examples) else _unknown_to(live, corpus.exchanges)
        if not exchanges:
            raise ModelError(f"{examples}: {live.name} has learned every line that is held out, so nothing can tell")
        self._exchanges = spread(exchanges, most)
        self._choices = make_choices(self._exchanges, most)
        self._script = Script(self._exchanges, [])
        self._training_lines = TrainingLines(corpus.training_lines)

    @property
    def lines(self) -> int:
        """How many lines there are to measure on."""
        return len(self._exchanges)

    @property
    def steps(self) -> int:
        """How often `measure` calls back for one version."""
        return STEPS * self.lines

    def measure(self, version: Version, persona: Persona, counted: Callable[[], object]) -> Readings:
        """All readings of one version, with its answers as they are served; `counted` is called after each step."""
        base = base_folder(version.base)
        prompt = Prompt.from_folder(base, persona.card)
        model = load_model(version.weights or base, version.adapter)
        dialogues = [Dialogue(exchange.context, exchange.answer) for exchange in self._exchanges]
        scores = score_answers(model, AnswerExamples(dialogues, prompt, MAX_LENGTH))
        ranks = rank_answers(model, prompt, self._choices, counted=counted)
        del model  # the engine that serves has a copy of its own
        answers = generate_answers(version.engine_folder, persona, self._script, counted=counted)
        return Readings(
            Sample([score.nats for score in scores], [score.tokens for score in scores]),
            Sample.of([rank == 1 for rank in ranks]),
            self._read([answer.text for answer in answers]),
        )

    def true_answers(self) -> AnswerReadings:
        """The same of what the character really says there."""
        return self._read([exchange.answer for exchange in self._exchanges])

    def _read(self, answers: Sequence[str]) -> AnswerReadings:
        return AnswerReadings(
            loops=Sample.of([repetition_within([answer]) for answer in answers]),
            stock=Sample.of(_said_before(answers)),
            copies=Sample.of([self._training_lines.has_run(answer) for answer in answers]),
        )


def _said_before(answers: Sequence[str]) -> list[bool]:
    """Whether each answer equals an earlier one but for case, spaces and punctuation."""
    wordings = [tuple(words(answer)) for answer in answers]
    return [wording in wordings[:place] for place, wording in enumerate(wordings)]


def _learned_from(live: Version, examples: Path) -> bool:
    """Whether these are the live version's own examples, so that what is held out here was held out there."""
    return bool(live.manifest.get("data", {}).get("examples_sha256") == hash_examples(examples))


def _unknown_to(live: Version, exchanges: Sequence[Exchange]) -> list[Exchange]:
    """The exchanges whose answer the character does not say in what the version was trained on, as far as is known.

    Answers of fewer than four words are no sign: anybody says "I don't know".
    """
    known = {tuple(words(line.text)) for line in read_sources(live.sources) if line.own} if live.sources else set()
    wordings = [tuple(words(exchange.answer)) for exchange in exchanges]
    pairs = zip(exchanges, wordings, strict=True)
    return [exchange for exchange, wording in pairs if len(wording) < SHORTEST_LINE or wording not in known]
