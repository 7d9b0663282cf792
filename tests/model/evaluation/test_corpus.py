"""What evaluation reads of an examples folder."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from model.errors import ModelError
from model.evaluation.corpus import Exchange, dialogues, read_corpus
from model.examples import spread
from model.prompt import Turn


def write_rows(folder: Path, rows: list[dict[str, Any]]) -> Path:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "qa_pairs.parquet")
    return folder


def row(
    speaker: str, answer: str, context: list[tuple[str, str]], split: str = "test", episode: int = 1
) -> dict[str, Any]:
    return {
        "episode_id": episode,
        "scene_id": 7,
        "speaker": speaker,
        "context": [text for _, text in context],
        "context_speakers": [who for who, _ in context],
        "answer": answer,
        "is_target": speaker == "Lisa",
        "split": split,
    }


def test_lines_are_told_apart_by_split_and_speaker(tmp_path: Path) -> None:
    rows = [
        row("Lisa", "Learned.", [], "train"),
        row("Bart", "Heard.", [("Lisa", "Learned.")], "train"),
        row("Bart", "Why?", []),
        row("Lisa", "Because.", [("Bart", "Why?")]),
        row("Lisa", "And another thing.", [("Bart", "Why?"), ("Lisa", "Because.")]),
        row("Marge", " ", []),
    ]
    corpus = read_corpus(write_rows(tmp_path, rows), "test")
    assert corpus.exchanges == [Exchange((Turn("Bart", "Why?", False),), "Because.", 7)]
    assert corpus.exchanges[0].question == "Why?"
    assert (corpus.own_lines, corpus.other_lines) == (["Learned."], ["Heard."])
    assert corpus.training_lines == ["Learned.", "Heard."]
    assert corpus.held_out_others == ["Why?"]
    assert corpus.speakers == {"Lisa", "Bart"}


def test_some_episodes_of_a_split_can_be_chosen_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    rows = [row("Lisa", "Learned.", [], "train"), row("Bart", "Heard.", [("Lisa", "Learned.")], "train")]
    for episode in (3, 4):
        rows += [row("Lisa", f"Because {episode}.", [("Bart", "Why?")], episode=episode)]
    folder = write_rows(tmp_path, rows)
    assert [exchange.answer for exchange in read_corpus(folder, "test", ["4"]).exchanges] == ["Because 4."]
    with pytest.raises(ModelError, match=r"no episode '1' in the split 'test'; there are: 3, 4"):
        read_corpus(folder, "test", ["3", "1"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row("Lisa", "I begin.", [], "test")], "no line of the split 'test' that answers somebody"),
        ([row("Bart", "Why?", []), row("Lisa", "So.", [("Bart", "Why?")])], "no training lines"),
    ],
)
def test_a_script_that_cannot_be_measured_on_is_named(rows: list[dict[str, Any]], message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        read_corpus(write_rows(tmp_path, rows), "test")


def test_a_missing_file_and_a_damaged_one_are_named(examples_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"qa_pairs.parquet does not exist"):
        read_corpus(tmp_path, "test")
    shutil.copy(examples_folder / "manifest.json", tmp_path / "qa_pairs.parquet")
    with pytest.raises(ModelError, match=r"qa_pairs.parquet cannot be read"):
        read_corpus(tmp_path, "test")


def test_a_table_without_a_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="lacks the column 'context'"):
        read_corpus(write_rows(tmp_path, [{"answer": "Hi."}]), "test")


def test_dialogues_are_runs_of_a_scene_and_never_a_single_line() -> None:
    def scene(number: int, length: int) -> list[Exchange]:
        return [Exchange((Turn("Bart", f"{n}?", False),), f"{n}.", number) for n in range(length)]

    found = dialogues([*scene(1, 8), *scene(2, 1), *scene(3, 7)], turns=6)
    assert [[exchange.answer for exchange in run] for run in found] == [
        ["0.", "1.", "2.", "3.", "4.", "5."],
        ["6.", "7."],
        ["0.", "1.", "2.", "3.", "4.", "5."],
    ]


def test_items_are_spread_evenly_over_the_whole() -> None:
    assert spread(range(10), 5) == [0, 2, 4, 6, 8]
    assert spread(range(3), 5) == [0, 1, 2]
