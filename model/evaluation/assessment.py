"""All measures of generated answers together, and the same of the true ones, which are the standard."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.character import SPEECHLESS
from model.evaluation import style, topic
from model.evaluation.copying import Copying, TrainingLines
from model.evaluation.corpus import Corpus
from model.evaluation.diversity import Diversity, measure_diversity, repetition_in_dialogue
from model.evaluation.generation import Answer, by_dialogue
from model.evaluation.leaks import Leaks, Names, measure_leaks
from model.evaluation.style import Classification, Style, StyleClassifier
from model.evaluation.topic import Topic, TopicModel
from model.persona import Persona


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """The figures of a set of answers.

    `cut_off` is the share of answers that the length limit ended (what the reader sees of it is
    `diversity.unfinished`), `redrawn` of those that took more than one draw, `at_a_loss` of those where no draw passed
    the checks: what the checks keep back costs there, and shows nowhere else. The others are described where they are
    measured.
    """

    answers: int
    dialogues: int
    cut_off: float
    redrawn: float
    at_a_loss: float
    repetition_in_dialogue: float
    diversity: Diversity
    leaks: Leaks
    copying: Copying
    style: Style
    topic: Topic


@dataclass(frozen=True, slots=True)
class Assessed:
    """Answers with their figures, and what each scored: its style (a probability), the cosine with its question.

    `shuffled` are the cosines with the questions of other answers.
    """

    answers: list[Answer]
    figures: AnswerFigures
    styles: list[float]
    similarities: list[float]
    shuffled: list[float]


class Assessor:
    """Measures answers of one character against one show. Making one trains the style classifier."""

    def __init__(self, corpus: Corpus, persona: Persona) -> None:
        self._training_lines = TrainingLines(corpus.training_lines)
        self._names = Names(corpus.speakers, corpus.training_lines)
        self._known = f"{persona.name} {persona.card}"
        self._speechless = {persona.speechless, SPEECHLESS}
        self._style = StyleClassifier.of(corpus)
        self._topic = TopicModel()
        self._own = [exchange.answer for exchange in corpus.exchanges]
        self._others = corpus.held_out_others

    def classification(self) -> Classification:
        """How far the style classifier can be trusted."""
        return self._style.classification(self._own, self._others)

    def styles_of_others(self) -> list[float]:
        """p(character | line) of everyone else's held-out lines."""
        return self._style.probabilities(self._others)

    def assess(self, answers: Sequence[Answer]) -> Assessed:
        """Measure some answers, which must not be none."""
        texts = [answer.text for answer in answers]
        styles = self._style.probabilities(texts)
        similarities = self._topic.similarities([answer.question for answer in answers], texts)
        dialogues = [[answer.text for answer in dialogue] for dialogue in by_dialogue(answers)]
        figures = AnswerFigures(
            answers=len(answers),
            dialogues=len(dialogues),
            cut_off=sum(answer.at_limit for answer in answers) / len(answers),
            redrawn=sum(answer.draws > 1 for answer in answers) / len(answers),
            at_a_loss=sum(answer.text in self._speechless for answer in answers) / len(answers),
            repetition_in_dialogue=repetition_in_dialogue(dialogues),
            diversity=measure_diversity(texts),
            leaks=measure_leaks(texts, [answer.context for answer in answers], self._names, self._known),
            copying=self._training_lines.measure(texts),
            style=style.summarise(styles),
            topic=topic.summarise(similarities),
        )
        return Assessed(list(answers), figures, styles, *similarities.tolist())
