"""In character: a small classifier that tells the character's lines from everyone else's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from model.evaluation.corpus import Corpus
from model.examples import spread

MOST_OTHERS = 10_000  # lines; more make it slower and hardly better


@dataclass(frozen=True, slots=True)
class Style:
    """How the classifier sees a set of answers.

    `mean_probability` is the mean of p(character | answer), `share` that of answers above 0.5. It is there because
    perplexity says nothing of how generated answers sound. It hides whether they make sense: a row of pet words
    scores high, and short lines sound like nobody. So it is held against the scores of the true answers.
    """

    mean_probability: float
    share: float


@dataclass(frozen=True, slots=True)
class Classification:
    """How good the classifier is, on held-out real lines.

    `auc` is the chance that a line of the character's scores above somebody else's, `balanced_accuracy` the mean of
    the shares of both that are told rightly; 0.5 is chance for both. They say how much the style scores are worth.
    They hide that topics and people's names tell lines apart as well as style does. `others` are the scores of
    everyone else's lines.
    """

    auc: float
    balanced_accuracy: float
    others: Style


class StyleClassifier:
    """Logistic regression on TF-IDF weights of words, word pairs and runs of 2 to 5 characters.

    Learns from the training episodes; both sides weigh the same, however many lines each has.
    """

    def __init__(self, own: Sequence[str], others: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline, make_union

        features = make_union(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"[\w']+"),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        )
        learner = LogisticRegression(class_weight="balanced", solver="liblinear", random_state=0)
        self._pipeline: Any = make_pipeline(features, learner)
        others = spread(others, MOST_OTHERS)
        self._pipeline.fit([*own, *others], [1] * len(own) + [0] * len(others))

    @classmethod
    def of(cls, corpus: Corpus) -> "StyleClassifier":
        """Trained on a show's training episodes."""
        return cls(corpus.own_lines, corpus.other_lines)

    def probabilities(self, answers: Sequence[str]) -> list[float]:
        """p(character | answer) of each."""
        return [float(p) for p in self._pipeline.predict_proba(answers)[:, 1]]

    def classification(self, own: Sequence[str], others: Sequence[str]) -> Classification:
        """How well it does on lines that it has not seen."""
        from sklearn.metrics import balanced_accuracy_score, roc_auc_score

        truth = [1] * len(own) + [0] * len(others)
        scores = self.probabilities([*own, *others])
        guesses = [int(score > 0.5) for score in scores]
        return Classification(
            auc=float(roc_auc_score(truth, scores)),
            balanced_accuracy=float(balanced_accuracy_score(truth, guesses)),
            others=summarise(scores[len(own) :]),
        )


def summarise(probabilities: Sequence[float]) -> Style:
    """The figures of a set of answers' probabilities."""
    number = len(probabilities)
    return Style(sum(probabilities) / number, sum(p > 0.5 for p in probabilities) / number)
