from pathlib import Path

from data_prep.scenes import spoken_lines
from tests.data_prep.scripts import cast_of, heading, row, write_script


def scenes(folder: Path, *rows: list[str] | str) -> list[int]:
    cast, lines = cast_of(write_script(folder / "script.csv", rows))
    return [int(scene) for scene in spoken_lines(lines, cast.after_gaps())["scene_id"]]


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


def test_a_lost_row_ends_the_scene_of_the_row_after_it_alone(tmp_path: Path) -> None:
    rows: list[list[str] | str] = [line(2), line(1, episode=2), "1,1,9,lost", line(2, episode=2), line(3), '"', line(1)]
    assert scenes(tmp_path, *rows) == [0, 0, 0, 1, 2]
