import pytest

from data_prep.repair import repair_row
from tests.data_prep.scripts import broken_line, csv_line, heading, row

QUOTED = row(7, "Lisa Simpson", '(SAD) They said, "no", and "never", so I left.', place="Springfield, Main Street")


def test_unescaped_quotes_are_put_right_from_the_anchors_of_the_row() -> None:
    assert repair_row(broken_line(QUOTED)) == QUOTED


def test_commas_without_any_quotes_are_put_right() -> None:
    fields = row(8, "Bart Simpson", "Well, well, look who reads.")
    assert repair_row(",".join(fields)) == fields


def test_a_broken_heading_is_put_right() -> None:
    fields = heading(9, 'The "Old" Mill, upstairs')
    fields[9] = "The Old Mill"
    assert repair_row(broken_line(fields)) == fields


def test_a_silent_line_is_put_right() -> None:
    fields = row(3, "Moe Szyslak", '(READS "OPEN", TURNS SIGN)', speaking="false", spoken="")
    assert repair_row(broken_line(fields)) == fields


def test_a_row_that_the_other_columns_contradict_is_not_repaired() -> None:
    fields = row(7, "Lisa Simpson", 'They said, "no", twice.')
    fields[11] = "they said yes twice"
    assert repair_row(broken_line(fields)) is None


def test_a_row_with_two_possible_readings_is_not_repaired() -> None:
    # The lost comma may belong to the place or to the words: "..., why" and the normalised text fit both.
    text = '10007,1,7,"Lisa: --, "why"",7000,true,9,3,Lisa,Home,--,"why",why,1'
    assert repair_row(text) is None


@pytest.mark.parametrize(
    "text", ["", "1,2", "x,y,z", csv_line(QUOTED)[:60], "1,2,3,,,,,,,,,,", "1,2,3," + "," * 500 + "true" + "," * 500]
)
def test_what_has_no_anchors_is_not_repaired(text: str) -> None:
    assert repair_row(text) is None
