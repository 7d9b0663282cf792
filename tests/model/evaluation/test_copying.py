"""Copies of training lines, on a script of three lines."""

import pytest

from model.evaluation.copying import TrainingLines

LINE = "Whenever I'm about to do something, I think: would an idiot do that?"
LINES = TrainingLines([LINE, "Bears eat beets.", "Identity theft is not a joke!"])


@pytest.mark.parametrize(
    ("answer", "copied"),
    [
        ("WHENEVER I’m about to do something I think...", True),
        ("So: about to do something, I think, would an ostrich?", True),
        ("About to do something, I think, would.", False),
        ("I think would an idiot do this, about to do something.", False),
        ("Bears eat beets.", False),
    ],
)
def test_eight_words_in_a_row_are_a_copy_and_seven_are_not(answer: str, copied: bool) -> None:
    assert LINES.has_run(answer) is copied


def test_a_whole_line_is_a_copy_from_four_words_on() -> None:
    assert LINES.is_line("identity theft is NOT a joke")
    assert not LINES.is_line("Identity theft is not a joke, Jim!")
    assert not LINES.is_line("Bears eat beets.")


def test_the_nearest_line_is_found_and_its_own_copy_has_cosine_one() -> None:
    near, same, none = LINES.nearest(["Do bears really eat beets?", "Bears eat beets!", "Hello there."])
    assert near.line == same.line == "Bears eat beets."
    assert 0 < near.cosine < same.cosine == pytest.approx(1)
    assert (none.line, none.cosine) == ("", 0)


def test_figures_are_shares_of_the_answers_and_the_nearest_come_first() -> None:
    copying = LINES.measure([LINE, "Bears sleep.", "Identity theft is not a joke."])
    assert copying.share == pytest.approx(1 / 3)
    assert copying.whole_lines == pytest.approx(2 / 3)
    assert [match.answer for match in copying.nearest][-1] == "Bears sleep."
    assert copying.mean_cosine == pytest.approx(sum(match.cosine for match in copying.nearest) / 3)
