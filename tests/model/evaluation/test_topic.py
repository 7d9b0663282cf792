"""Topic: the packaged sentence encoder on plain cases, and its figures by hand."""

import numpy as np
import pytest

from model.evaluation.topic import TopicModel, derangement, summarise


def test_answers_to_the_point_are_nearer_to_their_questions_than_to_others() -> None:
    questions = ["What do bears eat?", "Who plays the saxophone?", "How is the weather?"]
    answers = ["Bears eat berries and fish.", "My sister plays the sax in the band.", "It rains, and it is cold."]
    topic = summarise(TopicModel().similarities(questions, answers))
    assert topic.similarity > 0.5 > 0.3 > topic.shuffled
    assert topic.nearer_to_own == 1


def test_figures_of_known_cosines() -> None:
    topic = summarise(np.array([[0.9, 0.1], [0.3, 0.3]]))
    assert (topic.similarity, topic.shuffled, topic.nearer_to_own) == (0.5, 0.3, 0.5)


@pytest.mark.parametrize("number", [2, 3, 50])
def test_nothing_keeps_its_place_in_a_derangement(number: int) -> None:
    order = derangement(number)
    assert sorted(order) == list(range(number))
    assert all(place != value for place, value in enumerate(order))
    assert order == derangement(number)


def test_a_single_answer_has_no_other_question() -> None:
    assert derangement(1) == [0]
