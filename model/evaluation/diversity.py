"""How long, how varied and how complete answers are: pure functions of texts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from model.sentences import WHOLE, words

RUN = 3  # words


@dataclass(frozen=True, slots=True)
class Diversity:
    """Figures of a set of answers; see the functions of the same names."""

    mean_words: float
    median_words: float
    distinct_1: float
    distinct_2: float
    repetition_within: float
    repetition_across: float
    empty: float
    unfinished: float


def measure_diversity(answers: Sequence[str]) -> Diversity:
    """All figures of a set of answers, which must not be empty."""
    return Diversity(
        mean_words=mean_words(answers),
        median_words=median_words(answers),
        distinct_1=distinct(answers, 1),
        distinct_2=distinct(answers, 2),
        repetition_within=repetition_within(answers),
        repetition_across=repetition_across(answers),
        empty=empty(answers),
        unfinished=unfinished(answers),
    )


def mean_words(answers: Sequence[str]) -> float:
    """Mean number of words of an answer.

    A small model rambles, and a character has a length of its own to be held against. It hides the spread: the
    report draws it.
    """
    return sum(len(words(answer)) for answer in answers) / len(answers)


def median_words(answers: Sequence[str]) -> float:
    """Median number of words, which a few speeches do not move as they move the mean; it hides just those."""
    lengths = sorted(len(words(answer)) for answer in answers)
    return (lengths[(len(lengths) - 1) // 2] + lengths[len(lengths) // 2]) / 2


def distinct(answers: Sequence[str], n: int) -> float:
    """Different n-grams / n-grams of all answers together (Li et al. 2016); 0 if there are none.

    It shows a model that says the same to everyone. It falls as a set of answers gets longer, so it compares sets
    of like size and length only, and it is high for nonsense.
    """
    grams = [gram for answer in answers for gram in _ngrams(words(answer), n)]
    return len(set(grams)) / len(grams) if grams else 0.0


def repetition_within(answers: Sequence[str]) -> float:
    """Share of 3-grams that stood in the same answer before, of all answers together.

    It shows loops ("I am I am I am"), which small models fall into. It hides what is said again in other words.
    """
    runs = [_ngrams(words(answer), RUN) for answer in answers]
    again = sum(len(run) - len(set(run)) for run in runs)
    return again / max(1, sum(map(len, runs)))


def repetition_across(answers: Sequence[str]) -> float:
    """Share of answers that equal an earlier one but for case, spaces and punctuation.

    It shows stock answers. The real character has some, too ("No."), so it is held against theirs; it hides stock
    phrases within answers that differ.
    """
    counts = Counter(" ".join(words(answer)) for answer in answers)
    return sum(count - 1 for count in counts.values()) / len(answers)


def repetition_in_dialogue(dialogues: Sequence[Sequence[str]]) -> float:
    """Share of answers that equal an earlier one of the same dialogue; 0 without dialogues.

    Whoever talks to a bot sees this at once. The first answers cannot repeat and are counted in; it hides what is
    said again with one word changed.
    """
    again = sum(repetition_across(answers) * len(answers) for answers in dialogues if answers)
    return again / max(1, sum(map(len, dialogues)))


def empty(answers: Sequence[str]) -> float:
    """Share of answers without a single letter or digit. It hides answers that are there and say nothing."""
    return sum(not words(answer) for answer in answers) / len(answers)


def unfinished(answers: Sequence[str]) -> float:
    """Share of answers whose last sentence does not end in '.', '!', '?' or '…'.

    This is what the reader sees of the length limit. Scripts leave sentences open as well ("Because-"), so it is
    held against theirs.
    """
    return sum(not WHOLE.search(answer.rstrip()) for answer in answers) / len(answers)


def _ngrams(tokens: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
