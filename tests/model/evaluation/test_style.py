"""The style classifier, on two people who hardly share a word."""

import pytest

from model.evaluation.style import StyleClassifier, summarise

OWN = [f"Fact. {thing} are superior, obviously." for thing in ("Beets", "Bears", "Swords", "Goats", "Tractors")]
OTHERS = [f"Hey, can you {verb} it, please?" for verb in ("take", "move", "read", "sell")] * 5


@pytest.fixture(scope="module")
def classifier() -> StyleClassifier:
    return StyleClassifier(OWN, OTHERS)


def test_new_lines_of_the_character_score_above_everyone_elses(classifier: StyleClassifier) -> None:
    own, other = classifier.probabilities(["Fact. Ferrets are superior.", "Hey, can you call, please?"])
    assert own > 0.5 > other


def test_real_held_out_lines_tell_how_far_it_can_be_trusted(classifier: StyleClassifier) -> None:
    held_out = classifier.classification(["Fact. Eels are superior."], ["Can you send it, please?", "Hey, can you?"])
    assert (held_out.auc, held_out.balanced_accuracy) == (1, 1)
    assert held_out.others.share == 0
    confused = classifier.classification(["Can you send it, please?"], ["Fact. Eels are superior, obviously."])
    assert (confused.auc, confused.balanced_accuracy) == (0, 0)


def test_more_lines_of_the_others_do_not_outvote_the_character(classifier: StyleClassifier) -> None:
    assert len(OTHERS) == 4 * len(OWN)
    (unknown,) = classifier.probabilities(["Xylophone"])
    assert 0.3 < unknown < 0.7


def test_figures_are_the_mean_and_the_share_above_half() -> None:
    style = summarise([0.2, 0.6, 1.0, 0.2])
    assert (style.mean_probability, style.share) == (0.5, 0.5)
