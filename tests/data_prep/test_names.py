import pytest

from data_prep.names import choose_character, joint_names, one_spelling
from data_prep.schema import ScriptError

SPRINGFIELD = {
    "Homer Simpson": 300,
    "Lisa Simpson": 110,
    "Bart Simpson": 130,
    "Bart's Clone": 2,
    "Lisa": 1,
    "Sideshow Bob": 20,
    "Bob": 15,
    "Dr. Hibbert": 12,
}


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("Lisa Simpson", "Lisa Simpson"),
        ("LISA SIMPSON", "Lisa Simpson"),
        ("homer", "Homer Simpson"),
        ("bob", "Bob"),
        ("sideshow", "Sideshow Bob"),
        ("hibbert", "Dr. Hibbert"),
        ("dr hibbert", "Dr. Hibbert"),
    ],
)
def test_a_character_is_found_by_full_name_and_by_short_form(wanted: str, name: str) -> None:
    assert choose_character(wanted, SPRINGFIELD) == name


def test_the_full_name_wins_over_a_rare_namesake_of_its_short_form() -> None:
    assert choose_character("lisa", SPRINGFIELD) == "Lisa Simpson"


def test_an_ambiguous_short_form_lists_the_candidates_most_lines_first() -> None:
    with pytest.raises(ScriptError) as refused:
        choose_character("simpson", SPRINGFIELD)
    candidates = "Homer Simpson (300 lines), Bart Simpson (130 lines), Lisa Simpson (110 lines)"
    assert str(refused.value) == f'"simpson" could be {candidates}; give more of the name'


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("lsia simpson", 'did you mean "Lisa Simpson"'),
        ("Homr", 'did you mean "Homer Simpson"'),
        ("qqqq", "--list-characters shows who speaks"),
        ("", "--list-characters shows who speaks"),
    ],
)
def test_a_misspelt_character_gets_a_suggestion(wanted: str, hint: str) -> None:
    with pytest.raises(ScriptError, match=hint):
        choose_character(wanted, SPRINGFIELD)


def test_case_punctuation_and_rare_slips_are_one_name() -> None:
    counts = {"Darryl": 900, "Daryl": 20, "Darrly": 1, "darryl.": 2, "DARRYL": 5}
    assert one_spelling(counts, {}) == dict.fromkeys(["Daryl", "Darrly", "darryl.", "DARRYL"], "Darryl")


@pytest.mark.parametrize(
    "counts",
    [
        {"Erin": 1400, "Eric": 35},  # short
        {"Holly": 500, "Molly": 3},  # another first letter
        {"Student 1": 90, "Student 2": 1},  # a number
        {"Robert": 90, "Robertz": 9},  # not rare enough
        {"Andrew": 900, "Andrea Z": 2},  # two letters
    ],
)
def test_names_that_may_be_two_people_stay_two(counts: dict[str, int]) -> None:
    assert one_spelling(counts, {}) == {}


def test_two_people_under_one_id_stay_two() -> None:
    assert one_spelling({"Lisa": 50, "Otto": 3}, {"Lisa": "-1", "Otto": "-1"}) == {}


def test_a_cell_is_joint_only_if_every_name_in_it_is_known() -> None:
    names = ["Jim", "Pam", "Angela", "Jim and Pam", "JIM, Pam & Angela", "Jim/Pam", "Pam and a dog", "Bread & Butter"]
    assert joint_names(names) == {"Jim and Pam", "JIM, Pam & Angela", "Jim/Pam"}
