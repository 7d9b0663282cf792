from pathlib import Path

import pandas as pd
import pytest

from data_prep.speakers import Cast
from tests.data_prep.scripts import cast_of, row, write_script


def cast(folder: Path, *rows: list[str]) -> tuple[Cast, pd.DataFrame]:
    return cast_of(write_script(folder / "script.csv", rows))


def parts(lines: pd.DataFrame) -> list[tuple[str, str, str]]:
    columns = lines[["speaker", "text", "direction"]]
    return [(str(speaker), str(text), str(direction)) for speaker, text, direction in columns.to_numpy()]


def test_speaker_words_and_directions_come_from_raw_text(tmp_path: Path) -> None:
    found, lines = cast(tmp_path, row(1, "Lisa Simpson", "(SIGHS) Well, (QUIETLY) no."))
    assert parts(lines) == [("Lisa Simpson", "Well, no.", "SIGHS; QUIETLY")]
    assert not found.disagreements


def test_a_colon_in_the_words_or_in_the_name_is_no_border(tmp_path: Path) -> None:
    found, lines = cast(
        tmp_path,
        row(1, "Dr. Hibbert", "Well: it is: a rash."),
        row(2, "Robot 3:16", "Beep: boop."),
    )
    assert parts(lines) == [("Dr. Hibbert", "Well: it is: a rash.", ""), ("Robot 3:16", "Beep: boop.", "")]
    assert not found.disagreements


def test_directions_in_a_name_are_not_part_of_it(tmp_path: Path) -> None:
    _, lines = cast(tmp_path, row(1, "Jan [on phone]", "(LOUD) Hello?"), row(2, "Sadiq (IT guy)", "Done."))
    assert parts(lines) == [("Jan", "Hello?", "on phone; LOUD"), ("Sadiq", "Done.", "IT guy")]


@pytest.mark.parametrize(
    ("fields", "speaker", "words", "kind"),
    [
        (row(1, "Bart", "Hi there.", character="Lisa"), "Bart", "Hi there.", "speaker_differs"),
        (row(1, "BART", "Hi there.", character="Bart"), "Bart", "Hi there.", "speaker_in_another_case"),
        (row(1, "Bart", "Hi there.", character=""), "Bart", "Hi there.", "no_raw_character_text"),
        (row(1, "Bart", "Hi there.", raw="Hi there."), "Bart", "Hi there.", "no_speaker_in_raw_text"),
        (row(1, "Bart", "Note: hi.", raw="Note: hi."), "Bart", "Note: hi.", "no_speaker_in_raw_text"),
        (row(1, "Bart", "Hi there.", spoken="Bye."), "Bart", "Hi there.", "spoken_words_differ"),
        (row(1, "Bart", "Hi there.", spoken=""), "Bart", "Hi there.", "spoken_words_missing"),
        (row(1, "Bart", "Hi there.", speaking="false"), "Bart", "Hi there.", "words_but_not_speaking"),
    ],
)
def test_disagreements_are_settled_and_counted_by_kind(
    tmp_path: Path, fields: list[str], speaker: str, words: str, kind: str
) -> None:
    found, lines = cast(tmp_path, fields)
    assert parts(lines) == [(speaker, words, "")]
    assert found.disagreements == {kind: 1}
    assert lines["spoken"].all()


def test_a_flagged_line_of_directions_alone_is_silent(tmp_path: Path) -> None:
    found, lines = cast(tmp_path, row(1, "Bart", "(BURPS)"), row(2, "Bart", "(NODS)", speaking="false", spoken=""))
    assert not lines["spoken"].any()
    assert not lines["heading"].any()
    assert found.disagreements == {"speaking_without_words": 1}


def test_words_that_nobody_speaks_are_rejected(tmp_path: Path) -> None:
    found, lines = cast(tmp_path, row(1, "Bart", "Hi."), row(2, "", "A voice from nowhere."))
    assert [(reject.line, reject.reason) for reject in found.rejected] == [(3, "spoken by nobody")]
    assert len(lines) == 1


def test_a_row_without_speaker_and_flag_is_a_heading(tmp_path: Path) -> None:
    found, lines = cast(tmp_path, row(1, "Bart", "Hi."), row(2, "", "INT. GARAGE: night", speaking="false", spoken=""))
    assert lines["heading"].tolist() == [False, True]
    assert not found.rejected


def test_spellings_that_share_an_id_get_the_commonest(tmp_path: Path) -> None:
    found, _ = cast(
        tmp_path,
        row(1, "Edna Krabappel-Flanders", "One.", character_id="40"),
        row(2, "Edna Krabappel-Flanders", "Two.", character_id="40"),
        row(3, "Edna Krabappel", "Three.", character_id="40"),
        row(4, "Bart Simpson", "Four.", character_id="8"),
        row(5, "Bart Simpson", "Five.", character_id="40"),
        row(6, "Bart Simpson", "Six.", character_id="8"),
    )
    assert found.lines_per_character() == {"Edna Krabappel-Flanders": 3, "Bart Simpson": 3}
    assert found.aliases == {"Edna Krabappel": "Edna Krabappel-Flanders"}
    assert found.disagreements == {"another_spelling": 1, "character_id_differs": 1}


def test_lines_said_together_belong_to_no_single_character(tmp_path: Path) -> None:
    rows = [
        row(1, "Jim", "One."),
        row(2, "Pam", "Two."),
        row(3, "Jim & Pam", "Three!"),
        row(4, "Salt and Pepper", "Four."),
    ]
    found, _ = cast(tmp_path, *rows)
    assert (found.joint, found.joint_lines) == ({"Jim & Pam"}, 1)
    assert found.lines_per_character() == {"Jim": 1, "Pam": 1, "Salt and Pepper": 1}
