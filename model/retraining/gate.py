"""The gate: whether a new version is no worse than the live one. Pure arithmetic; measures nothing itself.

Both versions are measured on the same held-out lines. A difference that the choice of these lines alone may have made
says nothing, so each measure has a tolerance: its margin, which says how much worse is no matter, and where the
sampling error is larger than that, twice the standard error of the difference in its place. Of five measures of two
equally good versions one then fails by chance about once in ten times: that costs a retraining, while a worse version
would be met by everybody. With very few lines the error would excuse anything, so no tolerance exceeds three margins.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

PERPLEXITY_MARGIN = 0.02  # of the old one
SHARE_MARGIN = 0.05
STANDARD_ERRORS = 2.0
MOST_MARGINS = 3.0


@dataclass(frozen=True, slots=True)
class Sample:
    """A measure as a ratio of two sums over items: what was counted, and among how much."""

    counts: Sequence[float]
    sizes: Sequence[float]

    @classmethod
    def of(cls, counts: Sequence[float]) -> "Sample":
        """A plain mean of the items."""
        return cls(counts, [1.0] * len(counts))

    @property
    def ratio(self) -> float:
        """Sum of the counts / sum of the sizes."""
        return math.fsum(self.counts) / math.fsum(self.sizes)

    def residuals(self) -> list[float]:
        """What each item adds to the ratio's deviation, to first order."""
        whole, ratio = math.fsum(self.sizes), self.ratio
        return [(count - ratio * size) / whole for count, size in zip(self.counts, self.sizes, strict=True)]


def standard_error(old: Sample, new: Sample) -> float:
    """Standard error of the difference of two ratios over the same items, by linearisation (Cochran 1977, chapter 6).

    Items that are hard for both versions cancel out, which makes it several times smaller than that of either ratio.
    Infinite for a single item.
    """
    deviations = [b - a for a, b in zip(old.residuals(), new.residuals(), strict=True)]
    if len(deviations) < 2:
        return math.inf
    return math.sqrt(len(deviations) / (len(deviations) - 1) * math.fsum(d * d for d in deviations))


@dataclass(frozen=True, slots=True)
class AnswerReadings:
    """A set of answers: a sample a measure, an item an answer.

    `loops` is the share of an answer's 3-grams that stood in it before, `stock` are answers that equal an earlier one,
    `copies` those with eight words in a row of a training line.
    """

    loops: Sample
    stock: Sample
    copies: Sample


@dataclass(frozen=True, slots=True)
class Readings:
    """One version on the held-out lines, an item a line.

    `nats` are those of the true answer, among its tokens, `hits` tells where it is ranked first among 20.
    """

    nats: Sample
    hits: Sample
    answers: AnswerReadings


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of both versions. `ok`: the new one is worse by no more than the tolerance."""

    name: str
    old: float
    new: float
    better: Literal["lower", "higher"]
    tolerance: float

    @property
    def worse_by(self) -> float:
        """How much worse the new version is; below 0 where it is better."""
        return self.new - self.old if self.better == "lower" else self.old - self.new

    @property
    def ok(self) -> bool:
        """Whether the gate lets this pass."""
        return self.worse_by <= self.tolerance

    def as_json(self) -> dict[str, Any]:
        """Everything that is said of it."""
        return asdict(self) | {"ok": self.ok}


def judge(old: Readings, new: Readings, true_answers: AnswerReadings) -> list[Measure]:
    """Each measure with its tolerance; the true answers are the standard for generated ones.

    Why these margins. Perplexity, 2 %: who plays Lisa has less than half of the base's, so this is a small step on the
    way back. Shares (true answers ranked first among 20, and the three of generated answers), 0.05: one answer in
    twenty, which nobody notices in a dialogue. What generated answers repeat and copy counts beyond the share that the
    true answers have: a character who says "No." to everything is to be played so.
    """
    before, after, standard = old.answers, new.answers, true_answers
    return [
        _perplexity(old.nats, new.nats),
        _measure("true answer found", old.hits, new.hits, "higher"),
        _measure("repetition in an answer", before.loops, after.loops, "lower", standard.loops.ratio),
        _measure("same answer again", before.stock, after.stock, "lower", standard.stock.ratio),
        _measure("copied from the script", before.copies, after.copies, "lower", standard.copies.ratio),
    ]


def tolerance(margin: float, error: float) -> float:
    """The margin, or two standard errors where that is more, but at most three margins."""
    return min(max(margin, STANDARD_ERRORS * error), MOST_MARGINS * margin)


def _perplexity(old: Sample, new: Sample) -> Measure:
    """Compared as what it is the exponential of, where a difference is a share."""
    allowed = tolerance(math.log1p(PERPLEXITY_MARGIN), standard_error(old, new))
    before = math.exp(old.ratio)
    return Measure("perplexity", before, math.exp(new.ratio), "lower", before * math.expm1(allowed))


def _measure(name: str, old: Sample, new: Sample, better: Literal["lower", "higher"], standard: float = 0.0) -> Measure:
    """A share; `standard` is what is no fault of either."""
    allowed = tolerance(SHARE_MARGIN, standard_error(old, new))
    return Measure(name, max(0.0, old.ratio - standard), max(0.0, new.ratio - standard), better, allowed)


def reasons(measures: Sequence[Measure]) -> list[str]:
    """A sentence for each measure that does not pass."""
    return [
        f"{measure.name}: {measure.new:.3g} instead of {measure.old:.3g}, worse by {measure.worse_by:.2g} where "
        f"{measure.tolerance:.2g} would be no matter"
        for measure in measures
        if not measure.ok
    ]
