from pathlib import Path

from data_prep.scenes import spoken_lines
from data_prep.script import read_script
from data_prep.speakers import find_speakers
from tests.data_prep.scripts import heading, row, write_script


def scenes(folder: Path, *rows: list[str] | str) -> list[int]:
    script = read_script(write_script(folder / "script.csv", rows))
    return [int(scene) for scene in spoken_lines(find_speakers(script))["scene_id"]]


def line(number: int, place: str = "Home", episode: int = 1) -> list[str]:
    return row(number, "Lisa", f"Line {number}.", place=place, episode=episode)


def test_a_scene_ends_where_the_place_or_the_episode_changes(tmp_path: Path) -> None:
    rows = [line(1), line(2), line(3, "School"), line(4), line(1, episode=2)]
    assert scenes(tmp_path, *rows) == [0, 0, 1, 2, 3]


def test_a_heading_ends_a_scene_even_in_the_same_place(tmp_path: Path) -> None:
    assert scenes(tmp_path, line(1), heading(2, "Home"), line(3), line(4)) == [0, 1, 1]


def test_a_silent_line_ends_no_scene(tmp_path: Path) -> None:
    silent = row(2, "Bart", "(SHRUGS)", speaking="false", spoken="")
    assert scenes(tmp_path, line(1), silent, line(3)) == [0, 0]


def test_a_row_without_a_place_is_where_the_last_one_was(tmp_path: Path) -> None:
    assert scenes(tmp_path, line(1), line(2, place=""), line(3), line(4, place="", episode=2)) == [0, 0, 0, 1]


def test_without_places_an_episode_is_one_scene(tmp_path: Path) -> None:
    assert scenes(tmp_path, *(line(n, place="", episode=e) for e in (1, 2) for n in (1, 2, 3))) == [0, 0, 0, 1, 1, 1]


def test_a_rejected_row_ends_the_scene_but_a_repeated_one_does_not(tmp_path: Path) -> None:
    assert scenes(tmp_path, line(1), line(2), '1,1,3,"lost', line(4)) == [0, 0, 1]
    assert scenes(tmp_path, line(1), line(2), line(1), line(4)) == [0, 0, 0]
