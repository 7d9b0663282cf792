"""The examples folder as it is read."""

import json
from pathlib import Path

import pytest

from model.errors import ModelError
from model.examples import hash_examples, read_dialogues, read_manifest, read_scenes


def test_dialogues_come_from_their_split_and_know_who_speaks(examples_folder: Path) -> None:
    dialogues = read_dialogues(examples_folder, "train")
    assert len(dialogues) == 96
    longest = max(dialogues, key=lambda dialogue: len(dialogue.context))
    assert [turn.is_character for turn in longest.context] == [False, True, False]
    assert longest.answer.startswith("Fact.")


def test_a_limit_spreads_over_the_whole_split(examples_folder: Path) -> None:
    every = read_dialogues(examples_folder, "train")
    assert read_dialogues(examples_folder, "train", limit=3) == [every[0], every[32], every[64]]


def test_scenes_hold_what_everybody_says_in_the_episodes_of_their_split(examples_folder: Path) -> None:
    scenes = read_scenes(examples_folder, "train")
    spoken = [line for scene in scenes for line in scene]
    dialogues = read_dialogues(examples_folder, "train")
    assert [line.text for line in spoken if line.is_character] == [dialogue.answer for dialogue in dialogues]
    assert {line.speaker for line in spoken} == {"Dwight Schrute", "Jim Halpert"}
    assert len(scenes) == len({dialogue.scene for dialogue in dialogues})
    with pytest.raises(ModelError, match=r"qa_pairs\.parquet does not exist"):
        read_scenes(examples_folder.parent, "train")


def test_a_folder_that_is_no_examples_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is no examples folder \(it has no manifest\.json\).*data_prep") as refusal:
        read_manifest(tmp_path)
    assert "\n" not in str(refusal.value)
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"manifest\.json cannot be read"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1}), encoding="utf-8")
    with pytest.raises(ModelError, match="names no character"):
        read_manifest(tmp_path)


def test_a_damaged_or_empty_examples_file_is_named(examples_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"target_char_qa_pairs\.parquet does not exist"):
        read_dialogues(tmp_path, "train")
    (tmp_path / "target_char_qa_pairs.parquet").write_bytes(b"not parquet")
    with pytest.raises(ModelError, match=r"target_char_qa_pairs\.parquet cannot be read"):
        read_dialogues(tmp_path, "train")
    with pytest.raises(ModelError, match="has no example of the split 'nonsense'"):
        read_dialogues(examples_folder, "nonsense")


def test_a_column_that_is_missing_is_named(examples_folder: Path, tmp_path: Path) -> None:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(examples_folder / "target_char_qa_pairs.parquet")
    pyarrow.parquet.write_table(table.drop_columns(["answer"]), tmp_path / "target_char_qa_pairs.parquet")
    with pytest.raises(ModelError, match="lacks the column 'answer': prepare the script again"):
        read_dialogues(tmp_path, "train")


def test_examples_are_known_by_what_they_say_not_by_how_they_were_written(
    examples_folder: Path, tmp_path: Path
) -> None:
    import pyarrow.parquet

    name = "target_char_qa_pairs.parquet"
    table = pyarrow.parquet.read_table(examples_folder / name)
    pyarrow.parquet.write_table(table, tmp_path / name, compression="none", row_group_size=7)
    assert (tmp_path / name).read_bytes() != (examples_folder / name).read_bytes()
    assert hash_examples(tmp_path) == hash_examples(examples_folder)
    pyarrow.parquet.write_table(table.slice(1), tmp_path / name)
    assert hash_examples(tmp_path) != hash_examples(examples_folder)
