"""A script file as checked rows in the order of the show, and what was not kept, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data_prep.mending import mend_text, mended_text
from data_prep.parquet_file import ParquetFile
from data_prep.records import CsvFile, Records
from data_prep.rows import REASONS, USED_COLUMNS, WHOLE_NUMBER, checked, mapped_rows, script_rows
from data_prep.schema import SCRIPT_COLUMNS, Reject, ScriptError
from data_prep.shelf import Shelf
from data_prep.used_ids import UsedIds

_CHUNK = 200_000  # rows; whole episodes are taken together until they have as many

Progress = Callable[[float], None]  # hears the share that is done


class _Source(Protocol):
    """A file of records; what it counts is complete after the last batch. `share` of it has been read."""

    header: list[str]
    repairs: Counter[str]
    blank_lines: int
    share: float

    @property
    def encoding(self) -> str: ...

    def batches(self, names: Sequence[str]) -> Iterator[Records]: ...


@dataclass(slots=True)
class Script:
    """What is known of a file's rows when it has been read once; `chunks` gives the rows themselves.

    `gaps` are the lines of rows whose words are lost. `mapped` says that the speaker is not part of `raw_text`.
    `names` are the cells that name a speaker, in lower case. Repeated rows are found, and text is mended, by `chunks`.
    """

    mapped: bool
    encoding: str
    rows_read: int = 0
    blank_lines: int = 0
    repairs: Counter[str] = field(default_factory=Counter)
    rejected: list[Reject] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    ids_used_twice: int = 0
    _shelf: Shelf = field(default_factory=Shelf)
    _episodes: list[dict[str, int]] = field(default_factory=list)  # rows of each, for each table on the shelf

    def chunks(self, progress: Progress = lambda share: None) -> Iterator[Any]:
        """The rows that are kept, sorted by episode and number, some whole episodes at a time. It can be done once.

        An Arrow table has the columns line (in the file, from 1), line_id, number: int64; episode_id: int64, or string
        where the source has other ids; speaking: bool; raw_text, character, character_id, place (what a scene's rows
        share), location, spoken_words, source (the row as it stands in the file, if it may yet be rejected): string.

        The rows of an episode need not stand together in the file: a chunk gathers them from wherever they are.
        """
        mended, done = 0, 0
        for table in self._tables():
            rows, count = mend_text(self._without_repeats(table))
            yield _in_order(rows)
            mended += count
            done += len(table)
            progress(done / self.rows_read)
        self._shelf.close()
        if mended:
            self.repairs["wrong_decoding"] = mended

    def _tables(self) -> Iterator[Any]:
        """The rows of each chunk in the order of the file."""
        sizes: Counter[str] = Counter()
        for counts in self._episodes:
            sizes.update(counts)
        numbered = all(re.match(WHOLE_NUMBER, name) for name in sizes)
        for names in _chunks(sizes, int if numbered else str):
            table = self._shelf.gather([i for i, counts in enumerate(self._episodes) if not names.isdisjoint(counts)])
            if len(names) < len(sizes):
                table = table.filter(pc.is_in(table["episode_id"], value_set=pa.array(sorted(names))))
            if numbered:
                place = table.schema.get_field_index("episode_id")
                table = table.set_column(place, "episode_id", table["episode_id"].cast(pa.int64()))
            yield table

    def _without_repeats(self, rows: Any) -> Any:
        """A row that stands twice in the file would be its own context. Nothing is lost with it: it leaves no gap."""
        again = rows["line_id"].to_pandas().duplicated(keep=False).to_numpy()
        if self.mapped or not again.any():
            return rows
        same = np.zeros(len(rows), dtype=bool)
        same[again] = (
            rows.filter(again).select(["line_id", "episode_id", "number", "raw_text"]).to_pandas().duplicated()
        )
        for repeat in rows.filter(same).select(["line", "source"]).to_pylist():
            self.rejected.append(Reject(repeat["line"], "repeats an earlier row", repeat["source"]))
        self.ids_used_twice -= int(same.sum())
        return rows.filter(~same)

    def put(self, rows: Any, rejected: list[Reject]) -> None:
        """Takes rows as they come from the file, and those that came between them and will not do."""
        self.rejected += rejected
        self.gaps += [reject.line for reject in rejected]
        if len(rows):
            counts = pc.value_counts(rows["episode_id"])
            self._episodes.append({str(each["values"]): each["counts"].as_py() for each in counts})
            self.names.update(mended_text(name).casefold() for name in pc.unique(rows["character"]).to_pylist())
            self._shelf.put(rows)


def read_script(
    path: Path, columns: Mapping[str, str] | None = None, progress: Progress = lambda share: None
) -> Script:
    """Reads .csv, .csv.gz or .parquet, once.

    `columns` says what another show calls its speaker and text, and its episode, scene and location if it has them.

    Raises ScriptError for a file that cannot be read, lacks a column, or holds no usable row.
    """
    if not path.is_file():
        raise ScriptError(f"{path}: no such file")
    source: _Source = ParquetFile(path) if path.suffix.lower() == ".parquet" else CsvFile(path)
    names = list(dict.fromkeys(columns.values())) if columns else list(USED_COLUMNS)
    _check_header(source.header, names, path)
    script, used, before = Script(bool(columns), source.encoding), UsedIds(), 0
    for records in source.batches(names):
        rows = mapped_rows(records, columns, before) if columns else script_rows(records)
        rows, rejected = checked(rows, records, script.mapped)
        script.put(_with_source(rows, records, script, used), records.rejected + rejected)
        script.rows_read += len(records.lines) + len(records.rejected)
        before += len(records.lines)
        progress(source.share)
    script.repairs, script.blank_lines = source.repairs, source.blank_lines
    if not script.rows_read:
        raise ScriptError(f"{path.name}: a header and no rows")
    if len(script.rejected) == script.rows_read:
        raise ScriptError(f"{path.name}: no usable row ({script.rows_read} read, all rejected)")
    # By kind, as a batch more or less must not change what comes first.
    script.rejected.sort(key=lambda reject: REASONS.index(reject.reason) if reject.reason in REASONS else -1)
    return script


def _check_header(header: Sequence[str], names: Sequence[str], path: Path) -> None:
    if missing := [name for name in names if name not in header]:
        hint = "" if set(names) - set(SCRIPT_COLUMNS) else "; map another show's with --columns speaker=...,text=..."
        raise ScriptError(f'{path.name}: no column "{missing[0]}" (it has: {", ".join(header)}){hint}')


def _with_source(rows: Any, records: Records, script: Script, used: UsedIds) -> Any:
    """The rows with the text of those that may prove to be repeats, or to be spoken by nobody."""
    source = np.full(len(rows), "", dtype=object)
    if not script.mapped:
        again = used.use(rows["line_id"].to_numpy())
        script.ids_used_twice += int(again.sum())
        nobody = pc.and_(pc.equal(rows["character"], ""), rows["speaking"])
        lines = rows["line"].to_numpy()
        for index in np.flatnonzero(again | nobody.to_numpy()):
            source[index] = records.text(int(lines[index]))
    return rows.append_column("source", pa.array(source, pa.string()))


def _chunks(sizes: Mapping[str, int], key: Callable[[str], Any]) -> Iterator[set[str]]:
    """Sets of episodes in their order, with _CHUNK rows or a little more each."""
    chunk: set[str] = set()
    rows = 0
    for _, group in groupby(sorted(sizes, key=key), key):  # "1" and "01" are one episode
        names = list(group)
        chunk.update(names)
        rows += sum(sizes[name] for name in names)
        if rows >= _CHUNK:
            yield chunk
            chunk, rows = set(), 0
    if chunk:
        yield chunk


def _in_order(rows: Any) -> Any:
    episodes, _ = pd.factorize(rows["episode_id"].to_pandas(), sort=True)
    order = np.lexsort((rows["number"].to_numpy(), episodes))
    return rows if (np.diff(order) == 1).all() else rows.take(order)
