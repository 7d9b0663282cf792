"""A script that is gone through by chunks gives the folder that it gives as a whole."""

import csv
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep import script, textfile
from data_prep.preparation import Request, prepare
from data_prep.schema import CHARTS, OUTPUTS
from data_prep.used_ids import UsedIds
from tests.data_prep.scripts import broken_line, csv_line, row, write_script

Make = Callable[[Path], Path]
Columns = dict[str, str]


def prepared(file: Path, out: Path, character: str, columns: Columns) -> dict[str, object]:
    prepare(Request(file, character, out, columns=columns))
    return {name: (out / name).read_bytes() for name in OUTPUTS - {CHARTS} if not name.endswith(".parquet")} | {
        name: pq.read_table(out / name).to_pylist() for name in OUTPUTS if name.endswith(".parquet")
    }


def odd_script(path: Path) -> Path:
    """Episodes whose rows stand anywhere in the file; some are broken, repeated, several lines long, or lost."""
    names = ["Lisa Simpson", "lisa simpson", "Bart Simpson", "Homer [on phone]", "Bart Simpson and Homer", ""]
    rows: list[list[str] | str] = []
    for number in range(1, 301):
        place, episode = ["Home", "", "School"][number // 7 % 3], 1 + number * number % 11
        said = f'(NODS) Number "{number}", is it?' + "\n\nIt is." * (number % 40 == 0) + " Zoë" * (number % 9 == 0)
        fields = row(number, names[number % 6], said, episode=episode, place=place, character_id=str(number % 5))
        rows.append(broken_line(fields) if number % 13 == 0 else fields)
    rows += [rows[20], rows[21], "", "lost", '77,1,77,"Lisa: never closed', csv_line([*row(9, "Lisa", "No."), "more"])]
    Random(1).shuffle(rows)
    return write_script(path, rows)


def mapped_script(path: Path) -> Path:
    """A show of one scene after another that names its episodes by words or not at all."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["who", "said", "part"])
        for number in range(300):
            writer.writerow([["Ada", "Ben", ""][number % 3], f"Line {number}\r\nof many.", f"part {number // 40}"])
    return path


@pytest.mark.parametrize(
    ("make", "character", "columns", "rows", "size"),
    [
        (odd_script, "Lisa Simpson", {}, 1, 1 << 12),
        (odd_script, "Lisa Simpson", {}, 1000, 1 << 13),
        (mapped_script, "Ada", {"speaker": "who", "text": "said", "episode": "part"}, 60, 1 << 11),
        (mapped_script, "Ben", {"speaker": "who", "text": "said", "scene": "part"}, 1, 1 << 10),
    ],
)
def test_the_folder_does_not_depend_on_how_the_script_is_cut_to_save_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make, character: str, columns: Columns, rows: int, size: int
) -> None:
    file = make(tmp_path / "script.csv")
    whole = prepared(file, tmp_path / "whole", character, columns)
    monkeypatch.setattr(script, "_CHUNK", rows)
    monkeypatch.setattr(textfile, "_BLOCK", size)
    assert prepared(file, tmp_path / "cut", character, columns) == whole


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_are_the_same_wherever_a_block_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, ends: str
) -> None:
    lines = ["Zoë — one", "", "two" * 9, "three", ""]
    file = tmp_path / "script.csv"
    file.write_bytes(ends.join(lines).encode(encoding))
    for size in (4, 7, 1000):
        monkeypatch.setattr(textfile, "_BLOCK", size)
        text = textfile.open_text(file)
        assert text.encoding == encoding
        assert b"\n".join(text.blocks()).decode().split("\n") == lines[:-1]


@given(st.lists(st.lists(st.integers(-5, 40), min_size=1)))
def test_an_id_counts_as_used_from_its_first_use_on(calls: list[list[int]]) -> None:
    used, before = UsedIds(), set[int]()
    for ids in calls:
        for ident, again in zip(ids, used.use(np.array(ids, np.int64)), strict=True):
            assert again == (ident in before)
            before.add(ident)
