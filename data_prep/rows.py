"""Records to rows: the columns that are used, their types, and which rows will not do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data_prep.records import Records
from data_prep.schema import SCRIPT_COLUMNS, Reject

_UNUSED = ("timestamp_in_ms", "normalized_text", "word_count")
USED_COLUMNS = tuple(name for name in SCRIPT_COLUMNS if name not in _UNUSED)
WHOLE_NUMBER = r"^-?[0-9]{1,18}$"  # not \d, which Python takes for the digits of every script
_NUMBERS = {"line_id": "id", "episode_id": "episode_id", "number": "number"}
_SPEAKING, _NO_EPISODE, _NO_TEXT = "speaking_line is neither true nor false", "no episode", "no text"
REASONS = (*(f"{name} is not a whole number" for name in _NUMBERS.values()), _SPEAKING, _NO_EPISODE, _NO_TEXT)


def script_rows(records: Records) -> Any:
    """An Arrow table of a 13-column script's rows, all text but for the line."""
    cells = {name: _cell(records, name) for name in USED_COLUMNS}
    has_id = pc.not_equal(cells["location_id"], "")
    return pa.table(
        {
            "line": records.lines,
            "line_id": cells["id"],
            "episode_id": cells["episode_id"],
            "number": cells["number"],
            "raw_text": cells["raw_text"],
            "speaking": pc.utf8_lower(cells["speaking_line"]),
            "character_id": cells["character_id"],
            "character": cells["raw_character_text"],
            "place": pc.if_else(has_id, cells["location_id"], cells["raw_location_text"]),
            "location": cells["raw_location_text"],
            "spoken_words": cells["spoken_words"],
        }
    )


def mapped_rows(records: Records, columns: Mapping[str, str], before: int) -> Any:
    """The same of another show's, whose rows are numbered from `before` + 1."""
    count = len(records.lines)
    cells = {name: _cell(records, column) for name, column in columns.items()}
    ordinal = np.arange(before + 1, before + count + 1)
    location = cells.get("location", _repeated("", count))
    return pa.table(
        {
            "line": records.lines,
            "line_id": ordinal,
            "episode_id": cells.get("episode", _repeated("1", count)),
            "number": ordinal,
            "raw_text": cells["text"],
            "speaking": _repeated("true", count),
            "character_id": _repeated("", count),
            "character": cells["speaker"],
            "place": cells.get("scene", location),
            "location": location,
            "spoken_words": cells["text"],
        }
    )


def checked(rows: Any, records: Records, mapped: bool) -> tuple[Any, list[Reject]]:
    """The rows that will do, `line_id` and `number` as int64 and `speaking` as bool; the others with their reasons."""
    wrong = _wrong(rows, mapped)
    rejected, bad = [], np.zeros(len(rows), dtype=bool)
    for reason, of in wrong.items():
        lines = records.lines[of & ~bad]
        rejected += [Reject(int(line), reason, records.text(int(line))) for line in lines]
        bad |= of
    if bad.any():
        rows = rows.filter(pa.array(~bad))
    types = {"line_id": pa.int64(), "number": pa.int64()}
    columns = {name: rows[name].cast(types.get(name, rows[name].type)) for name in rows.column_names}
    return pa.table(columns | {"speaking": pc.equal(rows["speaking"], "true")}), rejected


def _wrong(rows: Any, mapped: bool) -> dict[str, NDArray[np.bool_]]:
    """For each reason, in the order of REASONS, the rows to which it applies."""
    if mapped:
        found = {_NO_EPISODE: pc.equal(rows["episode_id"], "")}
    else:
        numbers = {column: pc.match_substring_regex(rows[column], WHOLE_NUMBER) for column in _NUMBERS}
        found = {f"{name} is not a whole number": pc.invert(numbers[column]) for column, name in _NUMBERS.items()}
        found[_SPEAKING] = pc.invert(pc.is_in(rows["speaking"], value_set=pa.array(["true", "false"])))
    found[_NO_TEXT] = pc.equal(rows["raw_text"], "")
    return {reason: of.to_numpy() for reason, of in found.items()}


def _repeated(text: str, count: int) -> Any:
    return pa.repeat(text, count)


def _cell(records: Records, name: str) -> Any:
    cell = _stripped(records.table[name])
    if (name == "id" or name.endswith("_id")) and pc.any(pc.match_substring(cell, ".")).as_py():
        return pc.replace_substring_regex(cell, r"^(-?\d+)\.0+$", r"\1")  # pandas wrote a column with gaps
    return cell


def _stripped(column: Any) -> Any:
    """Without white space at the ends. Nearly all cells have none, which their first and last bytes tell."""
    cells = column.combine_chunks()
    _, ends, text = cells.buffers()
    if not text:
        return cells
    ends = np.frombuffer(ends, np.int32)[cells.offset : cells.offset + len(cells) + 1]
    full = np.flatnonzero(np.diff(ends))
    text = np.frombuffer(text, np.uint8)
    edges = np.stack([text[ends[full]], text[ends[full + 1] - 1]])
    loose = np.zeros(len(cells), dtype=bool)
    loose[full] = ((edges <= ord(" ")) | (edges >= 0x80)).any(axis=0)  # white space beyond ASCII has bytes from 0x80 on
    if not loose.any():
        return cells
    mask = pa.array(loose)
    return pc.replace_with_mask(cells, mask, pc.utf8_trim_whitespace(cells.filter(mask)))
