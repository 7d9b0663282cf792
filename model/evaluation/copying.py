"""How much of the answers was learned by heart."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.likeness import LineIndex, WordRuns
from model.sentences import words

SHORTEST_LINE = 4  # words: anybody says "I don't know"
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Match:
    """An answer and the training line that is most like it; `cosine` is 1 for the same words."""

    answer: str
    line: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Copying:
    """Figures of a set of answers; see the methods of `TrainingLines`. `nearest` are the most alike, closest first."""

    share: float
    whole_lines: float
    mean_cosine: float
    nearest: list[Match]


class TrainingLines:
    """All lines of the training episodes, whoever says them."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._runs = WordRuns(lines)
        self._whole = {tuple(words(line)) for line in lines}
        self._index = LineIndex(lines)

    def measure(self, answers: Sequence[str]) -> Copying:
        """All figures of a set of answers, which must not be empty."""
        matches = self.nearest(answers)
        return Copying(
            share=sum(map(self.has_run, answers)) / len(answers),
            whole_lines=sum(map(self.is_line, answers)) / len(answers),
            mean_cosine=sum(match.cosine for match in matches) / len(matches),
            nearest=sorted(dict.fromkeys(matches), key=lambda match: -match.cosine)[:SHOWN],
        )

    def has_run(self, answer: str) -> bool:
        """Whether eight words in a row stand in a training line, but for case and punctuation.

        It hides copies shorter than that, and those with a word changed.
        """
        return self._runs.find(answer) is not None

    def is_line(self, answer: str) -> bool:
        """Whether the answer is a training line as a whole, of four words or more.

        This finds the short copies that eight words in a row cannot. It hides those that are part of a line.
        """
        own = tuple(words(answer))
        return len(own) >= SHORTEST_LINE and own in self._whole

    def nearest(self, answers: Sequence[str]) -> list[Match]:
        """The most similar line for each answer; see `model.likeness.LineIndex`.

        It finds what is nearly copied; two short lines of the same words are alike without any copying.
        """
        return [self._match(answer) for answer in answers]

    def _match(self, answer: str) -> Match:
        for number, cosine in self._index.nearest(answer, 1):
            return Match(answer, self._lines[number], cosine)
        return Match(answer, "", 0.0)
