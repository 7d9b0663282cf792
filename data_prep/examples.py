"""The sliding window: up to N previous lines of the scene, and the line that answers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_prep.schema import ANSWER_COLUMNS, PAIR_COLUMNS, QA_PAIRS, TARGET_ANSWERS, TARGET_PAIRS

_FILES = {QA_PAIRS: PAIR_COLUMNS, TARGET_PAIRS: PAIR_COLUMNS, TARGET_ANSWERS: ANSWER_COLUMNS}
_CHUNK = 20_000  # lines; bounds the memory that their contexts take


def write_examples(chunks: Iterable[pd.DataFrame], name: str, context: int, folder: Path) -> None:
    """Writes the three Parquet files; the lines are in the order of the show, with `scene_id` and `split`.

    A chunk holds whole episodes, and is written before the next one is asked for.
    """
    with ExitStack() as files:
        writers: list[Any] = []
        for lines in chunks:
            if not writers:
                for file, columns in _FILES.items():
                    writers.append(files.enter_context(_writer(folder / file, _schema(lines, columns))))
            every, target, answers = writers
            for pairs in qa_pairs(lines, lines["speaker"] == name, context):
                own = pairs.filter(pairs["is_target"])
                every.write_table(pairs)
                target.write_table(own)
                answers.write_table(own.select(ANSWER_COLUMNS))


def _writer(path: Path, schema: Any) -> Any:
    # Texts seldom recur, and a dictionary of them is given up after a megabyte; contexts recur, but rows apart.
    recurring = ["episode_id", "scene_id", "location", "speaker", "direction", "context_speakers.list.element", "split"]
    return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=recurring)


def qa_pairs(lines: pd.DataFrame, is_target: pd.Series, context: int) -> Iterator[Any]:
    """Arrow tables in the order of the lines, a pair for each line, with the columns of schema.PAIR_COLUMNS."""
    texts, speakers = (pa.array(lines[name], pa.string()) for name in ("text", "speaker"))
    sizes = window_sizes(lines["scene_id"].to_numpy(), context)
    schema = _schema(lines)
    for start in range(0, len(lines), _CHUNK):
        rows = slice(start, min(start + _CHUNK, len(lines)))
        offsets, index = _windows(sizes, rows)
        part = lines.iloc[rows]
        columns = {name: part[name] for name in schema.names if name in part}
        columns |= {"answer": part["text"], "is_target": is_target.iloc[rows]}
        columns |= {
            "context": pa.ListArray.from_arrays(offsets, texts.take(index)),
            "context_speakers": pa.ListArray.from_arrays(offsets, speakers.take(index)),
        }
        yield pa.table(
            [pa.array(columns[name], field.type) for name, field in zip(schema.names, schema, strict=True)], schema
        )


def window_sizes(scene_ids: NDArray[np.int64], context: int) -> NDArray[np.int64]:
    """How many of the lines just before each one belong to its context: those of its scene, at most `context`."""
    begins = np.flatnonzero(np.diff(scene_ids, prepend=-1))
    position = np.arange(len(scene_ids)) - np.repeat(begins, np.diff(begins, append=len(scene_ids)))
    return np.minimum(position, context)


def _windows(sizes: NDArray[np.int64], rows: slice) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Offsets of each row's context within the part, and the lines that the contexts are made of, oldest first."""
    size = sizes[rows]
    ends = np.cumsum(size)
    shift = np.arange(rows.start, rows.stop) - ends
    return np.concatenate([[0], ends]).astype(np.int32), np.arange(ends[-1]) + np.repeat(shift, size)


def _schema(lines: pd.DataFrame, names: tuple[str, ...] = PAIR_COLUMNS) -> Any:
    episode = pa.int64() if pd.api.types.is_integer_dtype(lines["episode_id"]) else pa.string()
    text, texts = pa.string(), pa.list_(pa.string())
    types = {
        "line_id": pa.int64(),
        "episode_id": episode,
        "scene_id": pa.int64(),
        "location": text,
        "speaker": text,
        "direction": text,
        "context": texts,
        "context_speakers": texts,
        "answer": text,
        "is_target": pa.bool_(),
        "split": text,
    }
    return pa.schema([(name, types[name]) for name in names])
