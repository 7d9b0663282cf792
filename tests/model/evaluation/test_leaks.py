"""Markup and foreign names in hand-made answers."""

import pytest

from model.evaluation.leaks import Names, has_markup, measure_leaks
from model.prompt import Turn

LINES = ["Jim, will you call Angela?", "The old man will know.", "Pam and Jim left.", "A man, Mark my words."]
NAMES = Names({"Jim", "Pam", "Angela Martin", "Will", "Old Man", "Dwight Schrute", "Al"}, LINES)


@pytest.mark.parametrize(
    "text",
    ["<|im_end|>", "Yes. <b>Really</b>", "*sighs* Fine.", "assistant\nYes.", "Yes.\nUser: and you?", "system: no"],
)
def test_markup_is_found(text: str) -> None:
    assert has_markup(text)


@pytest.mark.parametrize(
    "text", ["2 < 3 > 1", "I <3 you", "My assistant left.", "User or not, no.", "Assistant to the manager", "Fact: no."]
)
def test_what_people_really_say_is_no_markup(text: str) -> None:
    assert not has_markup(text)


@pytest.mark.parametrize("text", ["Jim: Yes.", "Well.\nangela martin: no", "Dwight: Fact.", "DWIGHT SCHRUTE: Fact."])
def test_a_speakers_name_and_a_colon_start_a_line_of_a_script(text: str) -> None:
    assert NAMES.starts_line(text)


def test_other_colons_start_nothing() -> None:
    assert not NAMES.starts_line("Fact: bears eat beets. I told Jim: never.")


def test_parts_of_names_are_names_and_common_words_are_not() -> None:
    assert NAMES.mentioned("Will Angela or the Old Man ask Schrute, Al?") == {"Angela", "Schrute"}


def test_one_slip_of_the_script_does_not_make_a_name_a_word() -> None:
    assert Names({"Pam"}, ["pam", *["Ask Pam."] * 10]).mentioned("Pam") == {"Pam"}
    assert Names({"Pam"}, ["pam", *["Ask Pam."] * 9]).mentioned("Pam") == set()


@pytest.mark.parametrize("text", ["Jim!", "No, Jim.", "Jim, no.", "Well, Jim, no.", "Listen. Jim? Why", "Thanks, Jim"])
def test_a_name_set_off_is_an_address(text: str) -> None:
    assert NAMES.addressed(text) == {"Jim"}


@pytest.mark.parametrize("text", ["Jim left.", "I know Jim.", "Ask Jim about it.", "Jim's desk."])
def test_a_name_in_a_sentence_is_none(text: str) -> None:
    assert NAMES.addressed(text) == set()


def test_names_of_the_context_its_speakers_and_the_card_are_not_foreign() -> None:
    context = [Turn("Pam", "Where is Jim?", False)]
    answers = ["Jim left, Pam.", "Dwight knows.", "Ask Angela.", "Angela! Here.", "*waves*"]
    leaks = measure_leaks(answers, [context] * 5, NAMES, known="You are Dwight Schrute.")
    assert leaks.foreign_names == 2 / 5
    assert leaks.foreign_addressed == 1 / 5
    assert leaks.markup == 1 / 5
