"""A Parquet file as records of text, some at a time: what records.CsvFile is for a CSV file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_prep.records import Records, refuse_repeated
from data_prep.schema import ScriptError

_ROWS = 200_000  # at a time


class ParquetFile:
    """Raises ScriptError for a file that is none."""

    encoding = "parquet"

    def __init__(self, path: Path) -> None:
        self._path = path
        self.repairs: Counter[str] = Counter()
        self.blank_lines = 0
        self.share = 0.0
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise self._damaged() from error
        self.header = self._file.schema_arrow.names
        refuse_repeated(self.header, path.name)

    def batches(self, names: Sequence[str]) -> Iterator[Records]:
        """The columns of these names, in the order of the file."""
        first, rows = 0, max(self._file.metadata.num_rows, 1)
        try:
            for batch in self._file.iter_batches(_ROWS):
                yield _records(batch, names, first)
                first += len(batch)
                self.share = first / rows
        except (pa.ArrowException, OSError) as error:
            raise self._damaged() from error

    def _damaged(self) -> ScriptError:
        return ScriptError(f"{self._path}: cannot be read: not a Parquet file, or a damaged one")


def _records(batch: Any, names: Sequence[str], first: int) -> Records:
    texts = pa.table({name: _as_text(batch.column(name)) for name in batch.schema.names})

    def text(line: int) -> str:
        return json.dumps(texts.slice(line - first - 1, 1).to_pylist())

    return Records(texts.select(names), np.arange(first + 1, first + len(batch) + 1), [], text)


def _as_text(column: Any) -> Any:
    try:
        return pc.fill_null(column.cast(pa.string()), "")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([json.dumps(value, default=str) for value in column.to_pylist()], pa.string())
