"""The lines of a CSV file to records of as many fields as its header has; it knows no column but by name.

Nearly all lines of a script are whole records, and are parsed at once. Only the others are looked at one by one: a
field may run over several lines, a quote may be unescaped, a line may be rubbish.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from data_prep.repair import repair_row
from data_prep.schema import SCRIPT_COLUMNS, Reject, ScriptError
from data_prep.textfile import PIECE, TextFile, open_text

_FIELD = r'(?:"(?:[^"]|"")*"|[^",][^,]*|)'
_RECORD_START = r'^\s*"?\d+"?,"?\d+"?,"?\d+"?,'  # of a 13-column script
_LONGEST_RECORD = 60  # lines; a field that runs on for longer is a quote that was never closed
_NEWLINE, _QUOTE, _COMMA = b'\n",'
_SPACE = b" \t\n\f\r"


@dataclass(slots=True)
class Records:
    """Some of a file's records: `table` has string columns, `lines[i]` is the line that row i begins on, from 1."""

    table: Any
    lines: NDArray[np.int64]
    rejected: list[Reject]
    text: Callable[[int], str]  # by its line, a row as it stands in the file


class CsvFile:
    """A CSV file's header, and its records some at a time; what is counted is complete after the last of them.

    Raises ScriptError for a file that cannot be read or is empty.
    """

    def __init__(self, path: Path) -> None:
        self._text: TextFile = open_text(path)
        self.encoding = self._text.encoding
        self.repairs: Counter[str] = Counter()
        self.blank_lines = 0
        self.share = 0.0
        self._nul_rows = 0
        self.header, self._top = self._find_header(path.name)

    def _find_header(self, file: str) -> tuple[list[str], int]:
        """The names of the columns, and the index of their line."""
        index = 0
        for body in self._text.blocks(PIECE):
            start = 0
            while start <= len(body):
                end = body.find(b"\n", start) % (len(body) + 1)  # -1, for none, is the body's length
                line = body[start:end].replace(b"\0", b"")
                if line.strip(_SPACE):
                    return _header(line.decode(), file), index
                start, index = end + 1, index + 1
        raise ScriptError(f"{file}: the file is empty")

    def batches(self, names: Sequence[str]) -> Iterator[Records]:
        """The columns of these names, in the order of the file. Where a batch ends changes no record."""
        rest, first = b"", 0
        blocks = _with_last(self._text.blocks())
        for body, last in blocks:
            block = _Block(rest + body, first, self._top + 1 - first, last)
            sorting, table = _sorted(block, self.header, names)
            self._count(sorting)
            yield Records(table, sorting.starts(), sorting.rejected, sorting.text)
            rest, first = block.after(sorting.end), first + sorting.end
        if self._nul_rows:
            self.repairs["nul_bytes"] = self._nul_rows

    def _count(self, sorting: _Sorting) -> None:
        self.repairs.update(sorting.repairs)
        self.blank_lines += sorting.blank_lines
        self._nul_rows += sorting.block.nul_rows(sorting.end)


def _with_last(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    held = next(blocks)
    for block in blocks:
        yield held, False
        held = block
    yield held, True


def _header(line: str, file: str) -> list[str]:
    try:
        names = [name.strip() for name in next(csv.reader([line]))]
    except csv.Error as error:
        raise ScriptError(f"{file}: the first line is no CSV header: {error}") from error
    refuse_repeated(names, file)
    return names


def refuse_repeated(names: Sequence[str], file: str) -> None:
    """ScriptError if two columns of a file have the same name."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ScriptError(f'{file}: the header names the column "{twice[0]}" twice')


class _Block:
    """Lines of UTF-8 without NUL bytes. `first` lines of the file came before; the first `skip` here are no records."""

    def __init__(self, body: bytes, first: int, skip: int, last: bool) -> None:
        self.first, self.skip, self.last = first, max(skip, 0), last
        self._source = body
        self.body = body.replace(b"\0", b"")
        self.bytes = np.frombuffer(self.body, np.uint8)
        self.starts, self.ends = _line_bounds(self.bytes)
        self.blank = self._blank()

    def __len__(self) -> int:
        return len(self.starts)

    def line(self, index: int) -> str:
        return self.joined(index, index + 1)

    def joined(self, start: int, end: int) -> str:
        return self.body[self.starts[start] : self.ends[end - 1]].decode()

    def after(self, end: int) -> bytes:
        """The lines from that one on, each with its newline."""
        if end == len(self):
            return b""
        starts, _ = _line_bounds(np.frombuffer(self._source, np.uint8))
        return self._source[starts[end] :] + b"\n"

    def nul_rows(self, end: int) -> int:
        if len(self._source) == len(self.body):
            return 0
        source = np.frombuffer(self._source, np.uint8)
        lines = np.unique(np.searchsorted(_line_bounds(source)[1], np.flatnonzero(source == 0)))
        return int((~self.blank[lines[lines < end]]).sum())

    def _blank(self) -> NDArray[np.bool_]:
        blank = self.starts == self.ends
        first = self.bytes[np.minimum(self.starts, len(self.bytes) - 1)] if len(self.bytes) else np.zeros(1, np.uint8)
        for index in np.flatnonzero(~blank & np.isin(first, list(_SPACE))):
            blank[index] = not self.body[self.starts[index] : self.ends[index]].strip(_SPACE)
        found: NDArray[np.bool_] = blank
        return found


def _line_bounds(body: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    ends = np.append(np.flatnonzero(body == _NEWLINE), len(body))
    return np.concatenate([[0], ends[:-1] + 1]), ends


def _sorted(block: _Block, header: list[str], names: Sequence[str]) -> tuple[_Sorting, Any]:
    """At first every line whose quotes stand in pairs around fields is taken for a record. Only where the parser then
    finds one with too many or too few fields are the commas counted.
    """
    for whole in (_quoted_well, _whole_records):
        sorting = _Sorting(block, header, whole(block, len(header)) & ~block.blank)
        sorting.sort()
        if (table := sorting.table(names)) is not None:
            break
    return sorting, table


def _quoted_well(block: _Block, fields: int) -> NDArray[np.bool_]:
    """Whether a line is a record, if it has the right number of commas between its fields."""
    quotes = np.flatnonzero(block.bytes == _QUOTE)
    line = np.searchsorted(block.ends, quotes)
    closing = (np.arange(len(quotes)) - np.searchsorted(quotes, block.starts)[line]) % 2 == 1
    # Where a quote opens a field, or a doubled one goes on with it, stands something else before it; likewise after.
    borders = np.array([_COMMA, _NEWLINE, _QUOTE], np.uint8)
    beside = block.bytes.take(quotes + np.where(closing, 1, -1), mode="clip")
    odd = np.bincount(line, minlength=len(block)) % 2 == 1
    odd[line[~np.isin(beside, borders)]] = True
    if odd.any():
        odd[odd] = ~_matches(_lines(block).filter(pa.array(odd)), fields)
    whole: NDArray[np.bool_] = ~odd
    return whole


def _whole_records(block: _Block, fields: int) -> NDArray[np.bool_]:
    """Counting commas is enough for a line without quotes, and far quicker than the pattern."""
    lines = _lines(block)
    whole = np.array(pc.equal(pc.count_substring(lines, ","), fields - 1), dtype=bool)
    quoted = pc.match_substring(lines, '"').to_numpy(zero_copy_only=False)
    whole[quoted] = _matches(lines.filter(pa.array(quoted)), fields)
    return whole


def _matches(lines: Any, fields: int) -> NDArray[np.bool_]:
    pattern = f"^{_FIELD}(?:,{_FIELD}){{{fields - 1}}}$"
    matches: NDArray[np.bool_] = pc.match_substring_regex(lines, pattern).to_numpy(zero_copy_only=False)
    return matches


def _lines(block: _Block) -> Any:
    return pc.split_pattern(pa.array([block.body], type=pa.large_binary()), b"\n").flatten().cast(pa.large_string())


@dataclass(slots=True)
class _Sorting:
    """Sorts lines into whole records, records that are made of several lines or repaired, and rejects.

    It stops at `end`: where a record may go on in the next block, which then begins with that line.
    """

    block: _Block
    header: list[str]
    whole: NDArray[np.bool_]
    end: int = 0
    mended: dict[int, list[str]] = field(default_factory=dict)  # by the index of the record's first line
    ends: dict[int, int] = field(default_factory=dict)
    rejected: list[Reject] = field(default_factory=list)
    repairs: Counter[str] = field(default_factory=Counter)
    blank_lines: int = 0

    @property
    def is_script(self) -> bool:
        return tuple(self.header) == SCRIPT_COLUMNS

    def sort(self) -> None:
        lines = len(self.block)
        index = self.block.skip
        self.whole[:index] = False
        for odd in np.flatnonzero(~self.whole):
            if odd >= index:  # not yet taken by a record that began above
                if odd > lines - _LONGEST_RECORD and not self.block.last:
                    self.whole[odd:] = False
                    self.end = int(odd)
                    return
                index = self._take(int(odd))
        self.end = lines

    def _take(self, index: int) -> int:
        """Deals with the line at `index`, which is not a whole record; returns the first line that is left."""
        if self.block.blank[index]:
            self.blank_lines += 1
            return index + 1
        for end in self._ends(index):
            if self._accept(index, end):
                self.whole[index:end] = False
                self.ends[index] = end
                return end
        text = self.block.line(index)
        self.rejected.append(Reject(self.block.first + index + 1, self._fault(text), text))
        return index + 1

    def _ends(self, index: int) -> Iterator[int]:
        """Where the record that begins at `index` may end: after this line, or after a later one if a quote is open.

        In a 13-column script a line that begins as a row does is a row: a runaway quote ends there. Elsewhere a
        record can only end where all its quotes are paired.
        """
        lines = self.block.joined(index, min(index + _LONGEST_RECORD, len(self.block))).split("\n")
        if self.is_script and not re.match(_RECORD_START, lines[0]):
            return
        yield index + 1
        quotes = lines[0].count('"')
        if quotes % 2 == 0:
            return
        for end, line in enumerate(lines[1:], index + 2):
            quotes += line.count('"')
            if self.is_script and re.match(_RECORD_START, line):
                return
            if self.is_script or quotes % 2 == 0:
                yield end

    def _accept(self, start: int, end: int) -> bool:
        text = self.block.joined(start, end)
        if (fields := self._parsed(text)) is not None:
            self.mended[start] = fields
        elif self.is_script and (fields := repair_row(text)) is not None:
            self.mended[start] = fields
            self.repairs["unescaped_quotes" if '"' in text else "unquoted_commas"] += 1
        return fields is not None

    def text(self, line: int) -> str:
        """The record that begins on a line (from 1), as it stands in the file."""
        index = line - self.block.first - 1
        return self.block.joined(index, self.ends.get(index, index + 1))

    def _parsed(self, text: str) -> list[str] | None:
        try:
            rows = list(csv.reader(text.splitlines(keepends=True), strict=True))
        except csv.Error:
            return None
        return rows[0] if len(rows) == 1 and len(rows[0]) == len(self.header) else None

    def _fault(self, text: str) -> str:
        try:
            count = len(next(csv.reader([text], strict=True)))
        except csv.Error:
            return "quotes that do not pair"
        return f"{count} field{'s' * (count != 1)} instead of {len(self.header)}"

    def starts(self) -> NDArray[np.int64]:
        """The lines that the records of the table begin on, from 1."""
        return np.sort(self._indices()) + self.block.first + 1

    def table(self, names: Sequence[str]) -> Any:
        """The columns of these names for all records in the order of the file; None if a line is no record."""
        whole = self._parse_whole(names)
        if whole is None or not self.mended:
            return whole
        rows = [dict(zip(self.header, fields, strict=True)) for fields in self.mended.values()]
        mended = pa.Table.from_pylist(rows, schema=whole.schema)
        order = np.argsort(self._indices(), kind="stable")
        return pa.concat_tables([whole, mended]).combine_chunks().take(order)

    def _indices(self) -> NDArray[np.int64]:
        """The lines of the block that the records begin on, from 0: first of the whole ones, then of the mended."""
        return np.concatenate([np.flatnonzero(self.whole), np.array(list(self.mended), dtype=np.int64)])

    def _parse_whole(self, names: Sequence[str]) -> Any:
        schema = pa.schema([(name, pa.string()) for name in names])
        if not self.whole.any():
            return schema.empty_table()
        wrong = []

        def skip(row: Any) -> str:
            wrong.append(row.actual_columns)
            return "skip"

        table = pa.csv.read_csv(
            pa.BufferReader(self._whole_lines()),
            read_options=pa.csv.ReadOptions(column_names=self.header, block_size=max(1 << 20, 2 * self._longest() + 2)),
            parse_options=pa.csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=skip),
            convert_options=pa.csv.ConvertOptions(
                column_types=schema, include_columns=names, strings_can_be_null=False, check_utf8=False
            ),
        )
        return None if wrong else table.combine_chunks()

    def _longest(self) -> int:
        return int((self.block.ends - self.block.starts)[self.whole].max())

    def _whole_lines(self) -> Any:
        """Their bytes, each with its newline: slices of the block from one line that is not whole to the next."""
        edges = np.flatnonzero(np.diff(self.whole, prepend=False, append=False))
        runs = [(self.block.starts[a], self.block.ends[b - 1]) for a, b in edges.reshape(-1, 2)]
        body = memoryview(self.block.body)
        return body[slice(*runs[0])] if len(runs) == 1 else b"\n".join(body[start:end] for start, end in runs)
