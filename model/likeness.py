"""How alike lines are: the words that they share, and runs of words that are the same. Needs numpy alone."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from model.sentences import words

RUN = 8  # words

Vector = np.ndarray[Any, np.dtype[np.float64]]
Postings = tuple[np.ndarray[Any, np.dtype[np.intp]], Vector]


class WordRuns:
    """All runs of eight words in a row that stand in some lines."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines: dict[tuple[str, ...], int] = {}
        for number, line in enumerate(lines):
            for run in _runs(line):
                self._lines.setdefault(run, number)

    def find(self, text: str) -> int | None:
        """Number of a line that has eight words in a row of the text, but for case and punctuation; None without.

        Eight words hardly ever meet by chance: true lines of other episodes show how often.
        """
        return next((self._lines[run] for run in _runs(text) if run in self._lines), None)


class LineIndex:
    """Lines by their words: the cosine of TF-IDF weights (Salton & Buckley 1988) says how alike two of them are.

    The term frequency is 1 + ln(count), the inverse document frequency 1 + ln((1 + lines) / (1 + lines with the
    word)). Words that stand in no line do not count. It knows nothing of word order.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        found: dict[str, list[tuple[int, int]]] = {}
        for number, line in enumerate(lines):
            for word, count in Counter(words(line)).items():
                found.setdefault(word, []).append((number, count))
        self._rarity = {word: 1 + math.log((1 + len(lines)) / (1 + len(places))) for word, places in found.items()}
        self._postings = {word: self._weigh(word, places) for word, places in found.items()}
        squares = np.zeros(len(lines))
        for numbers, weights in self._postings.values():
            squares[numbers] += weights**2
        self._lengths = np.sqrt(squares)

    def nearest(self, text: str, count: int) -> list[tuple[int, float]]:
        """Number and cosine of the lines most like a text, closest first; at most `count`, none without a word."""
        cosines = self._cosines(text)
        best = np.argsort(-cosines, kind="stable")[:count]
        return [(int(number), min(1.0, float(cosines[number]))) for number in best if cosines[number]]

    def _weigh(self, word: str, places: list[tuple[int, int]]) -> Postings:
        numbers, counts = np.array(places, dtype=np.intp).T
        return numbers, (1 + np.log(counts)) * self._rarity[word]

    def _cosines(self, text: str) -> Vector:
        counts = Counter(word for word in words(text) if word in self._postings)
        own = {word: (1 + math.log(count)) * self._rarity[word] for word, count in counts.items()}
        products = np.zeros(len(self._lengths))
        for word, weight in own.items():
            numbers, weights = self._postings[word]
            products[numbers] += weight * weights
        shared = products > 0  # a line without words has no length to divide by
        products[shared] /= self._lengths[shared] * math.hypot(*own.values())
        return products


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    tokens = words(text)
    return (tuple(tokens[i : i + RUN]) for i in range(len(tokens) - RUN + 1))
