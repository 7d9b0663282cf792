from pathlib import Path

import pytest

from data_prep.folder import check_place, replaced_folder
from data_prep.schema import MANIFEST, QA_PAIRS, ScriptError


def examples(folder: Path) -> Path:
    folder.mkdir()
    for name in (MANIFEST, QA_PAIRS, "rejected.csv"):
        (folder / name).write_text("old")
    return folder


def test_an_older_examples_folder_is_replaced_whole(tmp_path: Path) -> None:
    out = examples(tmp_path / "out")
    with replaced_folder(out) as folder:
        (folder / "new.txt").write_text("new")
        assert (out / "rejected.csv").exists()
    assert [path.name for path in out.iterdir()] == ["new.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_the_old_folder_and_nothing_else(
    tmp_path: Path, interruption: type[BaseException]
) -> None:
    out = examples(tmp_path / "out")

    def write_half() -> None:
        with replaced_folder(out) as folder:
            (folder / "half.txt").write_text("half")
            raise interruption

    with pytest.raises(interruption):
        write_half()
    assert sorted(path.name for path in out.iterdir()) == sorted([MANIFEST, QA_PAIRS, "rejected.csv"])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_swap_that_fails_brings_the_old_folder_back(tmp_path: Path) -> None:
    out = examples(tmp_path / "out")
    with pytest.raises(ScriptError, match="cannot be written"), replaced_folder(out) as folder:
        folder.rmdir()
    assert (out / "rejected.csv").read_text() == "old"


def test_missing_parents_are_made(tmp_path: Path) -> None:
    with replaced_folder(tmp_path / "a" / "b" / "out"):
        pass
    assert (tmp_path / "a" / "b" / "out").is_dir()


def test_only_an_empty_or_an_examples_folder_may_be_replaced(tmp_path: Path) -> None:
    script = tmp_path / "script.csv"
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "new", tmp_path / "empty", examples(tmp_path / "out")):
        check_place(place, script)
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("somebody's notes")
    script.write_text("")
    for place in (other, script):
        with pytest.raises(ScriptError, match=f"^{place}: "):
            check_place(place, script)


def test_a_folder_that_holds_the_script_is_not_replaced(tmp_path: Path) -> None:
    out = examples(tmp_path / "out")
    with pytest.raises(ScriptError, match=r"holds qa_pairs\.parquet itself"):
        check_place(out, out / "qa_pairs.parquet")


def test_a_folder_with_something_of_ones_own_in_it_is_not_replaced(tmp_path: Path) -> None:
    out = examples(tmp_path / "out")
    (out / "persona.toml").write_text("")
    with pytest.raises(ScriptError, match=r"holds persona\.toml, which is no example"):
        check_place(out, tmp_path / "script.csv")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ScriptError, match="cannot be written"), replaced_folder(tmp_path / "file" / "out"):
        pass
