"""The gate: who may go live, worked out by hand."""

import math
from collections.abc import Sequence

import pytest

from model.retraining.gate import AnswerReadings, Measure, Readings, Sample, judge, reasons, standard_error, tolerance

NONE = [0.0] * 100


def answers(
    loops: Sequence[float] = NONE, stock: Sequence[float] = NONE, copies: Sequence[float] = NONE
) -> AnswerReadings:
    return AnswerReadings(Sample.of(loops), Sample.of(stock), Sample.of(copies))


def readings(nats: float = 2.0, hits: int = 70, said: AnswerReadings | None = None) -> Readings:
    """A version with so many nats for each of a hundred tokens, and so many hits."""
    found = [1.0] * hits + [0.0] * (100 - hits)
    return Readings(Sample.of([nats] * 100), Sample.of(found), said or answers())


def failed(old: Readings, new: Readings, true_answers: AnswerReadings | None = None) -> list[str]:
    return [measure.name for measure in judge(old, new, true_answers or answers()) if not measure.ok]


def test_a_version_that_is_the_same_passes_everything() -> None:
    measures = judge(readings(), readings(), answers())
    assert all(measure.ok for measure in measures)
    assert [measure.better for measure in measures] == ["lower", "higher", "lower", "lower", "lower"]
    assert measures[0].old == measures[0].new == pytest.approx(math.exp(2.0))
    assert measures[0].tolerance == pytest.approx(0.02 * math.exp(2.0))
    assert [measure.tolerance for measure in measures[1:]] == [0.05] * 4


def test_better_figures_always_pass() -> None:
    worse = readings(3.0, 40, answers(copies=[1.0] * 100))
    assert failed(worse, readings(1.0, 95)) == []


def test_a_loss_of_perplexity_beyond_the_margin_does_not_pass() -> None:
    assert failed(readings(2.0), readings(2.0 + math.log(1.019))) == []
    assert failed(readings(2.0), readings(2.0 + math.log(1.021))) == ["perplexity"]


def test_repetition_and_copies_count_beyond_those_of_the_true_answers() -> None:
    said = answers(loops=[0.5] * 100, stock=[1.0] * 80 + [0.0] * 20, copies=[1.0] * 30 + [0.0] * 70)
    names = ["repetition in an answer", "same answer again", "copied from the script"]
    assert failed(readings(), readings(said=said)) == names
    assert failed(readings(), readings(said=said), true_answers=said) == []


def test_a_difference_that_chance_may_have_made_is_tolerated_and_a_large_one_is_not() -> None:
    # Of 100 lines the two versions disagree on 25: 10 found by the old one alone, 3 by the new one alone, or 22.
    old = [1.0] * 60 + [0.0] * 40
    slightly = [0.0] * 10 + [1.0] * 50 + [1.0] * 3 + [0.0] * 37
    clearly = [0.0] * 22 + [1.0] * 38 + [1.0] * 3 + [0.0] * 37
    error = standard_error(Sample.of(old), Sample.of(slightly))
    assert error == pytest.approx(math.sqrt((13 - 49 / 100) / 99 / 100))
    assert 0.05 < 0.07 < 2 * error
    base = readings()
    assert (
        failed(
            Readings(base.nats, Sample.of(old), base.answers), Readings(base.nats, Sample.of(slightly), base.answers)
        )
        == []
    )
    assert failed(
        Readings(base.nats, Sample.of(old), base.answers), Readings(base.nats, Sample.of(clearly), base.answers)
    ) == ["true answer found"]


def test_few_lines_excuse_little() -> None:
    assert tolerance(0.05, math.inf) == pytest.approx(0.15)
    assert tolerance(0.05, 0.01) == 0.05
    assert tolerance(0.05, 0.04) == 0.08
    assert standard_error(Sample.of([1.0]), Sample.of([0.0])) == math.inf


def test_items_that_are_hard_for_both_cancel_out() -> None:
    hard = [0.5, 3.0, 1.0, 7.0]
    same_step = Sample.of([nats + 0.1 for nats in hard])
    assert standard_error(Sample.of(hard), same_step) == pytest.approx(0.0, abs=1e-12)


def test_long_answers_weigh_more_in_a_ratio_and_in_its_error() -> None:
    old, new = Sample([2.0, 30.0], [1.0, 10.0]), Sample([3.0, 30.0], [1.0, 10.0])
    assert old.ratio == pytest.approx(32 / 11)
    assert new.ratio == pytest.approx(3.0)
    # Deviations of the linearised ratios: the new one fits exactly, the old one misses each item by 10/11 of a nat.
    assert standard_error(old, new) == pytest.approx(math.sqrt(2 * 2) * (10 / 11) / 11)


def test_a_reason_says_what_became_worse_and_by_how_much() -> None:
    measures = [
        Measure("perplexity", 17.4, 19.0, "lower", 0.35),
        Measure("true answer found", 0.7, 0.69, "higher", 0.05),
    ]
    assert reasons(measures) == ["perplexity: 19 instead of 17.4, worse by 1.6 where 0.35 would be no matter"]
