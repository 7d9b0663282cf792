from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep import examples
from data_prep.examples import qa_pairs, write_examples
from data_prep.schema import ANSWER_COLUMNS, PAIR_COLUMNS, QA_PAIRS, TARGET_ANSWERS, TARGET_PAIRS


def show(*scene_sizes: int) -> pd.DataFrame:
    scene_ids = [scene for scene, size in enumerate(scene_sizes) for _ in range(size)]
    count = len(scene_ids)
    return pd.DataFrame(
        {
            "line_id": range(100, 100 + count),
            "episode_id": 1,
            "scene_id": scene_ids,
            "location": "Home",
            "speaker": ["Lisa" if index % 2 else "Bart" for index in range(count)],
            "direction": "",
            "text": [f"t{index}" for index in range(count)],
            "split": "train",
        }
    )


def contexts(lines: pd.DataFrame, context: int) -> list[list[str]]:
    return [row for part in qa_pairs(lines, lines["speaker"] == "Lisa", context) for row in part["context"].to_pylist()]


def test_the_context_is_the_lines_before_in_the_scene_oldest_first() -> None:
    expected = [[], ["t0"], ["t0", "t1"], ["t0", "t1", "t2"], ["t1", "t2", "t3"], [], ["t5"], []]
    assert contexts(show(5, 2, 1), 3) == expected


@pytest.mark.parametrize(("context", "longest"), [(0, 0), (1, 1), (9, 4)])
def test_the_context_has_at_most_the_wanted_length(context: int, longest: int) -> None:
    assert max(map(len, contexts(show(5, 2), context))) == longest


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_windows_do_not_depend_on_how_the_show_is_cut_to_save_memory(
    monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    expected = contexts(show(4, 1, 6), 3)
    monkeypatch.setattr(examples, "_CHUNK", chunk)
    assert contexts(show(4, 1, 6), 3) == expected


def test_context_speakers_stand_beside_their_lines() -> None:
    lines = show(4)
    pairs = next(qa_pairs(lines, lines["speaker"] == "Lisa", 2))
    assert pairs["context_speakers"].to_pylist() == [[], ["Bart"], ["Bart", "Lisa"], ["Lisa", "Bart"]]
    assert pairs["answer"].to_pylist() == ["t0", "t1", "t2", "t3"]
    assert pairs["is_target"].to_pylist() == [False, True, False, True]


def test_the_three_files_have_the_promised_columns_and_rows(tmp_path: Path) -> None:
    lines = show(5, 2)
    write_examples([lines], "Lisa", 3, tmp_path)
    every, target, answers = (pq.read_table(tmp_path / name) for name in (QA_PAIRS, TARGET_PAIRS, TARGET_ANSWERS))
    assert tuple(every.column_names) == tuple(target.column_names) == PAIR_COLUMNS
    assert tuple(answers.column_names) == ANSWER_COLUMNS
    assert every.schema.field("context").type == pa.list_(pa.string())
    assert every.schema.field("line_id").type == every.schema.field("episode_id").type == pa.int64()
    assert target["line_id"].to_pylist() == answers["line_id"].to_pylist() == [101, 103, 105]
    assert target.to_pylist() == [pair for pair in every.to_pylist() if pair["is_target"]]


def test_text_episode_ids_stay_text(tmp_path: Path) -> None:
    lines = show(2).assign(episode_id="s01e01")
    write_examples([lines], "Lisa", 3, tmp_path)
    assert pq.read_table(tmp_path / TARGET_ANSWERS)["episode_id"].to_pylist() == ["s01e01"]
