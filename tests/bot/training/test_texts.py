"""What admins read about trainings, where figures are missing or out of the ordinary."""

import math

import pytest

from bot.training.events import Progress
from bot.training.texts import minutes_of, progress_text


def plain(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("done", "total", "bar"),
    [
        (0, 4, "░░░░░░░░░░░░ 0 %"),
        (4, 4, "▓▓▓▓▓▓▓▓▓▓▓▓ 100 %"),
        (5, 4, "▓▓▓▓▓▓▓▓▓▓▓▓ 100 %"),
        (1, 0, "░░░░░░░░░░░░ 0 %"),
        (-1, 4, "░░░░░░░░░░░░ 0 %"),
    ],
)
def test_the_bar_stays_a_bar_whatever_the_figures(done: int, total: int, bar: str) -> None:
    text = progress_text(plain, "Lisa", Progress(stage="train", done=done, total=total))
    assert text == f"Lisa is learning.\n\n2 of 3: learning\n{bar}"


def test_what_is_not_known_is_left_out() -> None:
    progress = Progress(stage="evaluate", done=1, total=2, seconds_left=math.inf, loss=math.nan)
    assert progress_text(plain, "Lisa", progress).splitlines()[-1] == "▓▓▓▓▓▓░░░░░░ 50 %"


@pytest.mark.parametrize(("seconds", "minutes"), [(0.0, 1), (59.0, 1), (60.0, 1), (61.0, 2), (2700.0, 45)])
def test_minutes_are_whole_and_at_least_one(seconds: float, minutes: int) -> None:
    assert minutes_of(seconds) == minutes
