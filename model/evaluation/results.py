"""What an evaluation found: figures for a program, a table for people, and what the report draws."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from model.evaluation.assessment import AnswerFigures, Assessed
from model.evaluation.ranking import Ranking
from model.evaluation.style import Classification

LABEL, COLUMN = 34, 14


@dataclass(frozen=True, slots=True)
class Figures:
    """One model on one set of held-out episodes."""

    examples: int
    tokens: int
    perplexity: float
    bits_per_character: float
    ranking: Ranking
    generated: AnswerFigures


@dataclass(frozen=True, slots=True)
class Reference:
    """What the true answers score, and how good the classifier is that scores them."""

    true_answers: AnswerFigures
    classifier: Classification


@dataclass(frozen=True, slots=True)
class Evidence:
    """One model's ranks of true answers (from 1) and its answers, one by one."""

    ranks: list[int]
    assessed: Assessed


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A version beside its base: same card, same examples. `tuned` is None where the version is its base.

    `episodes` are those of the split that were measured, if it was not all of them.
    """

    persona: str
    version: str
    split: str
    base: Figures
    tuned: Figures | None
    reference: Reference
    episodes: Sequence[str] = ()

    def as_json(self) -> str:
        """All of it as a JSON object."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    def as_table(self) -> str:
        """A table for people."""
        columns = ["base", *([self.version] if self.tuned else []), "true answers"]
        lines = ["".join([" " * LABEL, *(f"{column:>{COLUMN}}" for column in columns)])]
        lines += ["".join([f"{row[0]:<{LABEL}}", *(f"{cell:>{COLUMN}}" for cell in row[1:])]) for row in self.rows()]
        return "\n".join([*lines, *self.notes()])

    def rows(self) -> list[list[str]]:
        """The table's rows: what was measured, then base, version (if it is tuned) and true answers."""
        models = [self.base, *([self.tuned] if self.tuned else [])]
        answers = [*(model.generated for model in models), self.reference.true_answers]
        rows = [[label, *map(of_model, models), ""] for label, of_model in MODEL_ROWS]
        return rows + [[label, *map(of_answers, answers)] for label, of_answers in ANSWER_ROWS]

    def notes(self) -> list[str]:
        """How much was measured, and how far the style scores can be trusted."""
        classifier, generated = self.reference.classifier, self.base.generated
        measured = " ".join([self.split, "episodes", *self.episodes])
        notes = [
            f"{self.persona} {self.version}, {measured}: {self.base.examples} answers of "
            f"{self.base.tokens} tokens, {self.base.ranking.contexts} contexts with {self.base.ranking.candidates} "
            f"candidates, {generated.answers} generated answers, some of them in {generated.dialogues} dialogues",
            f"style classifier on held-out real lines: AUC {classifier.auc:.2f}, balanced accuracy "
            f"{classifier.balanced_accuracy:.2f}; everyone else's lines get {classifier.others.mean_probability:.2f}",
        ]
        if not self.tuned:
            notes.append(f"{self.version} has no adapter or weights of its own: it is its base")
        return notes


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


MODEL_ROWS: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("perplexity", lambda of: f"{of.perplexity:.2f}"),
    ("bits per character", lambda of: f"{of.bits_per_character:.3f}"),
    ("next line: hits@1", lambda of: _percent(of.ranking.hits_at_1)),
    ("next line: mean reciprocal rank", lambda of: f"{of.ranking.mean_reciprocal_rank:.3f}"),
)
ANSWER_ROWS: tuple[tuple[str, Callable[[AnswerFigures], str]], ...] = (
    ("words: mean", lambda of: f"{of.diversity.mean_words:.1f}"),
    ("words: median", lambda of: f"{of.diversity.median_words:.1f}"),
    ("distinct-1", lambda of: f"{of.diversity.distinct_1:.3f}"),
    ("distinct-2", lambda of: f"{of.diversity.distinct_2:.3f}"),
    ("repeated 3-grams in an answer", lambda of: _percent(of.diversity.repetition_within)),
    ("repeated answers", lambda of: _percent(of.diversity.repetition_across)),
    ("repeated within a dialogue", lambda of: _percent(of.repetition_in_dialogue)),
    ("cut off at the length limit", lambda of: _percent(of.cut_off)),
    ("drawn more than once", lambda of: _percent(of.redrawn)),
    ("at a loss", lambda of: _percent(of.at_a_loss)),
    ("unfinished last sentence", lambda of: _percent(of.diversity.unfinished)),
    ("empty", lambda of: _percent(of.diversity.empty)),
    ("leaked markup", lambda of: _percent(of.leaks.markup)),
    ("foreign names: mentioned", lambda of: _percent(of.leaks.foreign_names)),
    ("foreign names: addressed", lambda of: _percent(of.leaks.foreign_addressed)),
    ("copied: 8 words in a row", lambda of: _percent(of.copying.share)),
    ("copied: a whole line", lambda of: _percent(of.copying.whole_lines)),
    ("in character: mean probability", lambda of: f"{of.style.mean_probability:.2f}"),
    ("in character: above 0.5", lambda of: _percent(of.style.share)),
    ("on topic: similarity", lambda of: f"{of.topic.similarity:.3f}"),
    ("on topic: shuffled", lambda of: f"{of.topic.shuffled:.3f}"),
    ("on topic: nearer to own question", lambda of: _percent(of.topic.nearer_to_own)),
)
