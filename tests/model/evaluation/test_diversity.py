"""Length, variety and repetition of hand-made answers."""

import pytest

from model.evaluation.diversity import (
    distinct,
    empty,
    mean_words,
    measure_diversity,
    median_words,
    repetition_across,
    repetition_in_dialogue,
    repetition_within,
    unfinished,
)
from model.sentences import words


def test_words_are_lower_case_and_keep_their_apostrophes() -> None:
    assert words("I don’t — DON'T — 'know', D'oh!") == ["i", "don't", "don't", "know", "d'oh"]


def test_lengths_in_words() -> None:
    answers = ["One.", "One, two!", "One two three four five six.", ""]
    assert mean_words(answers) == 9 / 4
    assert median_words(answers) == 1.5
    assert median_words(answers[:3]) == 2


def test_distinct_n_counts_different_ngrams_of_all_answers_together() -> None:
    answers = ["I know beets.", "I know bears."]
    assert distinct(answers, 1) == 4 / 6
    assert distinct(answers, 2) == 3 / 4
    assert distinct(["Hi."], 2) == 0


def test_repetition_within_is_the_share_of_three_words_said_again() -> None:
    assert repetition_within(["I am I am I am"]) == 2 / 4
    assert repetition_within(["I am I am I am", "bears eat beets and paper too"]) == 2 / 8
    assert repetition_within(["bears eat beets", "bears eat beets"]) == 0
    assert repetition_within(["No."]) == 0


def test_repetition_across_ignores_case_and_punctuation() -> None:
    assert repetition_across(["Fact.", "fact!", "Fact", "False."]) == 2 / 4
    assert repetition_across(["Fact one.", "Fact two."]) == 0


def test_repetition_in_a_dialogue_does_not_look_into_other_dialogues() -> None:
    assert repetition_in_dialogue([["Fact.", "No.", "fact"], ["Fact."]]) == 1 / 4
    assert repetition_in_dialogue([["Fact."], ["Fact."]]) == 0
    assert repetition_in_dialogue([]) == 0


def test_an_answer_without_letters_is_empty() -> None:
    assert empty(["", " ...", "No."]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("whole", ["Yes.", "Really?!", 'He said "no."', "Well…", "(Fact.) ", "Ha!*"])
def test_a_sentence_with_its_mark_is_finished(whole: str) -> None:
    assert unfinished([whole]) == 0


@pytest.mark.parametrize("open_ended", ["Because", "I am. And then", "Well,", "So-", ""])
def test_a_sentence_without_its_mark_is_not(open_ended: str) -> None:
    assert unfinished([open_ended]) == 1


def test_all_figures_together() -> None:
    figures = measure_diversity(["Fact.", "Fact."])
    assert (figures.mean_words, figures.distinct_1, figures.repetition_across, figures.empty) == (1, 0.5, 0.5, 0)
