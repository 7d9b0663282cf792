"""The bytes of a CSV file to records of as many fields as its header has; it knows no column but by position.

Nearly all lines of a script are whole records, and a pattern finds those at once. Only the others are looked at one
by one: a field may run over several lines, a quote may be unescaped, a line may be rubbish.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
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

_FIELD = r'(?:"(?:[^"]|"")*"|[^",][^,]*|)'
_RECORD_START = r'^\s*"?\d+"?,"?\d+"?,"?\d+"?,'  # of a 13-column script
_LONGEST_RECORD = 60  # lines; a field that runs on for longer is a quote that was never closed


@dataclass(slots=True)
class Records:
    """`table` has a string column for each of the header's; `lines[i]` is the line that row i begins on, from 1."""

    table: Any
    lines: NDArray[np.int64]
    rejected: list[Reject]
    repairs: Counter[str]
    encoding: str
    blank_lines: int
    text: Callable[[int], str]  # by its line, a row as it stands in the file


def read_records(path: Path) -> Records:
    """Raises ScriptError for a file that cannot be read or holds no rows."""
    data = _content(path)
    lines, encoding = _decoded_lines(data)
    del data
    nul = pc.match_substring(lines, "\0").to_numpy(zero_copy_only=False)
    if nul.any():
        lines = pc.replace_substring(lines, "\0", "")
    blank = pc.match_substring_regex(lines, r"^\s*$").to_numpy(zero_copy_only=False)
    if blank.all():
        raise ScriptError(f"{path.name}: the file is empty")
    top = int(np.argmin(blank))
    header = _header(lines[top].as_py(), path.name)
    sorting = _Sorting(lines, header, blank, top)
    sorting.sort()
    repairs = Counter(sorting.repairs)
    if nul_rows := int((nul & ~blank).sum()):
        repairs["nul_bytes"] = nul_rows
    table, starts = sorting.table()
    return Records(table, starts, sorting.rejected, repairs, encoding, sorting.blank_lines, sorting.text)


def _content(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "a damaged gzip file"
        raise ScriptError(f"{path}: cannot be read: {reason}") from error


def _decoded_lines(data: bytes) -> tuple[Any, str]:
    """The lines as an Arrow array of strings, without their ends, and the encoding that read them."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _lines(data.decode("utf-16", "replace").encode()).cast(pa.large_string()), "utf-16"
    body = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return _lines(body).cast(pa.large_string()), "utf-8" if len(body) == len(data) else "utf-8-sig"
    except pa.ArrowInvalid:
        # Five bytes mean nothing in cp1252; they become U+FFFD, as browsers show them.
        return _lines(body.decode("cp1252", "replace").encode()).cast(pa.large_string()), "cp1252"


def _lines(body: bytes) -> Any:
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
        # Left alone it ends lines, as it did on old Macs, or it strayed into a text.
        body = body.replace(b"\r", b" " if b"\n" in body else b"\n")
    array = pc.split_pattern(pa.array([body], type=pa.large_binary()), b"\n").flatten()
    return array[:-1] if body.endswith(b"\n") else array


def _header(line: str, file: str) -> list[str]:
    try:
        names = [name.strip() for name in next(csv.reader([line]))]
    except csv.Error as error:
        raise ScriptError(f"{file}: the first line is no CSV header: {error}") from error
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ScriptError(f'{file}: the header names the column "{twice[0]}" twice')
    return names


@dataclass(slots=True)
class _Sorting:
    """Sorts lines into whole records, records that are made of several lines or repaired, and rejects."""

    source: Any
    header: list[str]
    blank: NDArray[np.bool_]
    top: int
    whole: NDArray[np.bool_] = field(init=False)
    mended: dict[int, list[str]] = field(default_factory=dict)  # by the index of the record's first line
    ends: dict[int, int] = field(default_factory=dict)
    rejected: list[Reject] = field(default_factory=list)
    repairs: Counter[str] = field(default_factory=Counter)
    blank_lines: int = 0

    @property
    def is_script(self) -> bool:
        return tuple(self.header) == SCRIPT_COLUMNS

    def sort(self) -> None:
        self.whole = self._whole_records() & ~self.blank
        self.whole[: self.top + 1] = False
        index = self.top + 1
        for odd in np.flatnonzero(~self.whole):
            if odd >= index:  # not yet taken by a record that began above
                index = self._take(int(odd))

    def _whole_records(self) -> NDArray[np.bool_]:
        """Counting commas is enough for a line without quotes, and far quicker than the pattern."""
        commas = len(self.header) - 1
        whole = np.array(pc.equal(pc.count_substring(self.source, ","), commas), dtype=bool)
        quoted = pc.match_substring(self.source, '"').to_numpy(zero_copy_only=False)
        pattern = f"^{_FIELD}(?:,{_FIELD}){{{commas}}}$"
        matches = pc.match_substring_regex(self.source.filter(pa.array(quoted)), pattern)
        whole[quoted] = matches.to_numpy(zero_copy_only=False)
        return whole

    def _take(self, index: int) -> int:
        """Deals with the line at `index`, which is not a whole record; returns the first line that is left."""
        if self.blank[index]:
            self.blank_lines += 1
            return index + 1
        for end in self._ends(index):
            if self._accept(index, end):
                self.whole[index:end] = False
                self.ends[index] = end
                return end
        text = self.source[index].as_py()
        self.rejected.append(Reject(index + 1, self._fault(text), text))
        return index + 1

    def _ends(self, index: int) -> Iterator[int]:
        """Where the record that begins at `index` may end: after this line, or after a later one if a quote is open.

        In a 13-column script a line that begins as a row does is a row: a runaway quote ends there. Elsewhere a
        record can only end where all its quotes are paired.
        """
        lines = self.source.slice(index, _LONGEST_RECORD).to_pylist()
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
        text = self._joined(start, end)
        if (fields := self._parsed(text)) is not None:
            self.mended[start] = fields
        elif self.is_script and (fields := repair_row(text)) is not None:
            self.mended[start] = fields
            self.repairs["unescaped_quotes" if '"' in text else "unquoted_commas"] += 1
        return fields is not None

    def text(self, line: int) -> str:
        """The record that begins on a line (from 1), as it stands in the file."""
        return self._joined(line - 1, self.ends.get(line - 1, line))

    def _joined(self, start: int, end: int) -> str:
        return "\n".join(self.source.slice(start, end - start).to_pylist())

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

    def table(self) -> tuple[Any, NDArray[np.int64]]:
        """All records in the order of the file, and the lines that they begin on."""
        whole = self._parse_whole()
        mended = pa.Table.from_pylist(
            [dict(zip(self.header, fields, strict=True)) for fields in self.mended.values()], schema=whole.schema
        )
        starts = np.concatenate([np.flatnonzero(self.whole), np.array(list(self.mended), dtype=np.int64)]) + 1
        if not self.mended:
            return whole, starts
        order = np.argsort(starts, kind="stable")
        return pa.concat_tables([whole, mended]).take(order), starts[order]

    def _parse_whole(self) -> Any:
        schema = pa.schema([(name, pa.string()) for name in self.header])
        if not self.whole.any():
            return schema.empty_table()
        kept = self.source.filter(pa.array(self.whole))
        end, nothing = (pa.scalar(text, pa.large_string()) for text in ("\n", ""))
        text = pc.binary_join_element_wise(kept, nothing, end).buffers()[2]  # an array's strings lie end to end
        longest = pc.max(pc.binary_length(kept)).as_py()
        del kept  # as large as the file
        return pa.csv.read_csv(
            pa.BufferReader(text),
            read_options=pa.csv.ReadOptions(column_names=self.header, block_size=max(1 << 20, 2 * longest + 2)),
            parse_options=pa.csv.ParseOptions(ignore_empty_lines=False),
            convert_options=pa.csv.ConvertOptions(column_types=schema, strings_can_be_null=False, check_utf8=False),
        )
