"""Arrow tables that wait for their turn: a few stay in memory, more go to a temporary file that no name leads to."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Sequence
from typing import IO, Any

import pandas as pd
import pyarrow as pa

_HELD = 96 << 20  # bytes; a script of 158 thousand rows has less


class Shelf:
    """Tables of one schema, read again as often as wanted, once all of them have been put.

    The file lies in the folder for temporary files (TMPDIR) and vanishes with the process, however that ends.
    """

    def __init__(self) -> None:
        self._held: list[Any] = []
        self._file: IO[bytes] | None = None
        self._writer: Any = None
        self._reader: Any = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, table: Any) -> None:
        self._count += 1
        self._held.append(table)
        if self._file or (self._count > 1 and sum(held.nbytes for held in self._held) > _HELD):
            self._spill(table.schema)

    def _spill(self, schema: Any) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="data_prep-")  # noqa: SIM115 - open for as long as the shelf is
            weakref.finalize(self, self._file.close)
            self._writer = pa.ipc.new_file(self._file, schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))
        for table in self._held:
            self._writer.write_batch(table.combine_chunks().to_batches()[0] if len(table) else _empty(schema))
        self._held.clear()

    def __getitem__(self, index: int) -> Any:
        if self._file is None:
            return self._held[index]
        if self._reader is None:
            self._writer.close()
            self._reader = pa.ipc.open_file(self._file)
        return pa.Table.from_batches([self._reader.get_batch(index)])

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def gather(self, indices: Sequence[int]) -> Any:
        """Some of the tables as one."""
        return pa.concat_tables([self[index] for index in indices]).combine_chunks()

    def close(self) -> None:
        """Gives memory and disk back at once."""
        self._held.clear()
        self._reader = self._writer = None
        if self._file is not None:
            self._file.close()


class Frames:
    """The same for pandas frames."""

    def __init__(self) -> None:
        self._shelf = Shelf()

    def put(self, frame: pd.DataFrame) -> None:
        self._shelf.put(pa.Table.from_pandas(frame, preserve_index=False))

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return (table.to_pandas() for table in self._shelf)


def _empty(schema: Any) -> Any:
    return pa.RecordBatch.from_pylist([], schema=schema)
