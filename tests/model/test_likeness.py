"""How alike lines are, on lines whose likeness is known."""

import math

import numpy as np
import pytest

from model.likeness import LineIndex, WordRuns

EIGHT = "Whenever I'm about to do something, I think!"
LINES = ["Bears eat beets.", EIGHT, "Bears! Beets! Battlestar Galactica!", "..."]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (EIGHT, 1),
        ("so WHENEVER I’m about: to do, something - I think twice", 1),
        ("Whenever I'm about to do something, I", None),
        ("Whenever I'm about to do something, we think!", None),
        ("Bears eat beets.", None),
        ("", None),
    ],
)
def test_a_line_is_found_by_eight_words_in_a_row_whatever_their_case_and_punctuation(
    text: str, number: int | None
) -> None:
    assert WordRuns(LINES).find(text) == number


def test_a_run_does_not_go_on_from_one_line_into_the_next() -> None:
    assert (
        WordRuns(["one two three four", "five six seven eight"]).find("one two three four five six seven eight") is None
    )


def test_of_lines_that_share_the_run_the_first_is_found() -> None:
    assert WordRuns([EIGHT, EIGHT]).find(EIGHT) == 0


def test_the_nearest_lines_come_closest_first_and_only_those_that_share_a_word() -> None:
    found = LineIndex(LINES).nearest("Would BEARS eat?", 3)
    assert [number for number, _cosine in found] == [0, 2]
    assert LineIndex(LINES).nearest("would bears eat", 1) == found[:1]
    assert LineIndex(LINES).nearest("Hello there.", 3) == []


def test_a_line_is_like_itself_with_cosine_one() -> None:
    ((number, cosine),) = LineIndex(LINES).nearest("beets eat bears", 1)
    assert number == 0
    assert cosine == pytest.approx(1)


def test_the_cosine_is_that_of_the_weights_written_out_by_hand() -> None:
    (_number, cosine), *_ = LineIndex(["a a b", "b c"]).nearest("a c", 1)
    rare, common = 1 + math.log(3 / 2), 1.0
    line = np.array([(1 + math.log(2)) * rare, common, 0])
    text = np.array([rare, 0, rare])
    others = np.array([0, common, rare])
    expected = max(float(text @ each / np.linalg.norm(text) / np.linalg.norm(each)) for each in (line, others))
    assert cosine == pytest.approx(expected)


@pytest.mark.parametrize("lines", [[], ["..."]])
def test_without_words_nothing_is_near(lines: list[str]) -> None:
    assert LineIndex(lines).nearest("Bears", 3) == []
