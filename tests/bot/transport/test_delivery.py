"""Delivery: how a long answer is cut."""

import pytest

from bot.transport.delivery import split


def length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def test_a_text_that_fits_is_left_alone() -> None:
    assert split("Hello.\n\n  There.", 20) == ["Hello.\n\n  There."]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One line here.\nAnother. And one.", ["One line here.", "Another. And one."]),
        ("A sentence ends. Another begins", ["A sentence ends.", "Another begins"]),
        ("just words without any end at all", ["just words without", "any end at all"]),
        ("a" * 45, ["a" * 20, "a" * 20, "a" * 5]),
    ],
)
def test_a_long_text_is_cut_at_lines_then_sentences_then_words(text: str, parts: list[str]) -> None:
    assert split(text, 20) == parts


def test_no_part_is_beyond_the_limit_as_telegram_counts_and_nothing_is_lost() -> None:
    text = " ".join(f"word{number} \N{SAXOPHONE}" for number in range(3000))
    parts = split(text)
    assert max(map(length, parts)) <= 4096
    assert " ".join(parts).split() == text.split()


def test_a_character_of_two_units_is_not_cut_in_half() -> None:
    assert "".join(split("\N{SAXOPHONE}" * 25, 19)) == "\N{SAXOPHONE}" * 25


def test_a_text_of_blanks_gives_no_empty_message() -> None:
    assert all(part for part in split(" " * 50 + "end", 20))
