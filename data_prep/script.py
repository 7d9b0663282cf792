"""A script file as checked rows in the order of the show, and what was not kept, and why."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_prep.records import Records, read_records
from data_prep.schema import SCRIPT_COLUMNS, Reject, ScriptError

_UNUSED = ("timestamp_in_ms", "normalized_text", "word_count")
_WHOLE_NUMBER = r"^-?\d{1,18}$"
# UTF-8 that was once read as cp1252 and saved again: "Ã©" for "é", "â€™" for an apostrophe.
_CP1252_TAIL = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_MOJIBAKE = f"\u00c2[\u00a0-\u00bf]|[\u00c3-\u00df][{_CP1252_TAIL}]|[\u00e0-\u00ef][{_CP1252_TAIL}]{{2}}"


@dataclass(slots=True)
class Script:
    """`rows` has a row for each one kept, sorted by episode and number, with the columns

    line (in the file, from 1), line_id, number: int64; episode_id: int64, or str where the source has other ids;
    speaking: bool; raw_text, character, character_id, place (what a scene's rows share), location, spoken_words: str.
    `gaps` are the lines of rows whose words are lost. `mapped` says that the speaker is not part of `raw_text`.
    """

    path: Path
    rows: pd.DataFrame
    rejected: list[Reject]
    gaps: list[int]
    repairs: Counter[str]
    disagreements: Counter[str]
    encoding: str
    blank_lines: int
    mapped: bool
    rows_read: int
    text: Callable[[int], str]  # by its line, a row as it stands in the file

    def release(self) -> None:
        """Gives back the memory of the rows and of the file's text; the rest stays."""
        self.rows, self.text = self.rows.iloc[:0].copy(), str


def read_script(path: Path, columns: Mapping[str, str] | None = None) -> Script:
    """Reads .csv, .csv.gz or .parquet.

    `columns` says what another show calls its speaker and text, and its episode, scene and location if it has them.

    Raises ScriptError for a file that cannot be read, lacks a column, or holds no usable row.
    """
    if not path.is_file():
        raise ScriptError(f"{path}: no such file")
    records = _read_parquet(path) if path.suffix.lower() == ".parquet" else read_records(path)
    script = Script(
        path=path,
        rows=_mapped_rows(records, columns, path) if columns else _script_rows(records, path),
        rejected=records.rejected,
        gaps=[reject.line for reject in records.rejected],
        repairs=records.repairs,
        disagreements=Counter(),
        encoding=records.encoding,
        blank_lines=records.blank_lines,
        mapped=bool(columns),
        rows_read=len(records.lines) + len(records.rejected),
        text=records.text,
    )
    _check_types(script)
    _reject_repeats(script)
    if script.rows.empty:
        raise ScriptError(f"{path.name}: no usable row ({script.rows_read} read, all rejected)")
    _mend_text(script)
    script.rows = script.rows.sort_values(["episode_id", "number"], kind="stable", ignore_index=True)
    return script


def _read_parquet(path: Path) -> Records:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise ScriptError(f"{path}: cannot be read: not a Parquet file, or a damaged one") from error
    text = pa.table({name: _as_text(table.column(name)) for name in table.column_names})
    lines = np.arange(1, len(text) + 1)
    return Records(
        text, lines, [], Counter(), "parquet", 0, lambda line: json.dumps(text.slice(line - 1, 1).to_pylist())
    )


def _as_text(column: Any) -> Any:
    try:
        return pc.fill_null(column.cast(pa.string()), "")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([json.dumps(value, default=str) for value in column.to_pylist()], pa.string())


def _script_rows(records: Records, path: Path) -> pd.DataFrame:
    needed = [name for name in SCRIPT_COLUMNS if name not in _UNUSED]
    cells = _cells(records, needed, path)
    place = cells["location_id"].where(cells["location_id"] != "", cells["raw_location_text"])
    return pd.DataFrame(
        {
            "line": records.lines,
            "line_id": cells["id"],
            "episode_id": cells["episode_id"],
            "number": cells["number"],
            "raw_text": cells["raw_text"],
            "speaking": cells["speaking_line"].str.lower(),
            "character_id": cells["character_id"],
            "character": cells["raw_character_text"],
            "place": place,
            "location": cells["raw_location_text"],
            "spoken_words": cells["spoken_words"],
        }
    )


def _mapped_rows(records: Records, columns: Mapping[str, str], path: Path) -> pd.DataFrame:
    cells = _cells(records, list(columns.values()), path).set_axis(list(columns), axis=1)
    ordinal = np.arange(1, len(cells) + 1)
    location = cells.get("location", "")
    return pd.DataFrame(
        {
            "line": records.lines,
            "line_id": ordinal,
            "episode_id": cells.get("episode", "1"),
            "number": ordinal,
            "raw_text": cells["text"],
            "speaking": "true",
            "character_id": "",
            "character": cells["speaker"],
            "place": cells.get("scene", location),
            "location": location,
            "spoken_words": cells["text"],
        }
    )


def _cells(records: Records, names: list[str], path: Path) -> pd.DataFrame:
    present = records.table.column_names
    missing = [name for name in names if name not in present]
    if missing:
        hint = "" if set(names) - set(SCRIPT_COLUMNS) else "; map another show's with --columns speaker=...,text=..."
        raise ScriptError(f'{path.name}: no column "{missing[0]}" (it has: {", ".join(present)}){hint}')
    if not records.table.num_rows and not records.rejected:
        raise ScriptError(f"{path.name}: a header and no rows")
    cells = {name: pd.Series(records.table.column(name).to_pandas(), dtype="str").str.strip() for name in names}
    for name, cell in cells.items():
        if name == "id" or name.endswith("_id"):
            cells[name] = cell.str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)  # pandas wrote a column with gaps
    return pd.DataFrame({index: cells[name] for index, name in enumerate(names)}).set_axis(names, axis=1)


def _check_types(script: Script) -> None:
    rows = script.rows
    if not script.mapped:
        for name, column in (("id", "line_id"), ("episode_id", "episode_id"), ("number", "number")):
            wrong = ~rows[column].str.contains(_WHOLE_NUMBER)
            rows = _reject(script, rows, wrong, f"{name} is not a whole number")
        wrong = ~rows["speaking"].isin(["true", "false"])
        rows = _reject(script, rows, wrong, "speaking_line is neither true nor false")
    else:
        rows = _reject(script, rows, rows["episode_id"] == "", "no episode")
    rows = _reject(script, rows, rows["raw_text"] == "", "no text").copy()
    for column in ("line_id", "number"):
        rows[column] = rows[column].astype("int64")
    if rows["episode_id"].str.contains(_WHOLE_NUMBER).all():
        rows["episode_id"] = rows["episode_id"].astype("int64")
    rows["speaking"] = rows["speaking"] == "true"
    script.rows = rows


def _reject(script: Script, rows: pd.DataFrame, wrong: pd.Series, reason: str) -> pd.DataFrame:
    lines = rows.loc[wrong, "line"].tolist()
    script.rejected += [Reject(line, reason, script.text(line)) for line in lines]
    script.gaps += lines
    return rows[~wrong] if lines else rows


def _reject_repeats(script: Script) -> None:
    """A row that stands twice in the file would be its own context. Nothing is lost with it, so it leaves no gap."""
    if script.mapped:
        return
    rows, gaps = script.rows, list(script.gaps)
    same = rows.duplicated(["line_id", "episode_id", "number", "raw_text"])
    script.rows = _reject(script, rows, same, "repeats an earlier row")
    script.gaps = gaps
    if twice := int(script.rows.duplicated("line_id").sum()):
        script.disagreements["id_used_twice"] = twice


def _mend_text(script: Script) -> None:
    """One space between words, and text that had been decoded wrongly before it was saved put right."""
    rows, mended = script.rows, pd.Series(False, index=script.rows.index)
    for column in ("raw_text", "spoken_words", "character", "location"):
        wide = ~pd.Series(pc.string_is_ascii(pa.array(rows[column])).to_numpy(zero_copy_only=False), rows.index)
        garbled = wide & rows[column].where(wide, "").str.contains(_MOJIBAKE)
        loose = wide | rows[column].str.contains("  ", regex=False) | rows[column].str.contains(r"[\t\n\r\f\v]")
        mended |= garbled
        odd = garbled | loose
        if odd.any():
            rows.loc[odd, column] = [" ".join(_decoded_again(text).split()) for text in rows.loc[odd, column]]
    if count := int(mended.sum()):
        script.repairs["wrong_decoding"] = count


def _decoded_again(text: str) -> str:
    return re.sub(_MOJIBAKE, _character, text)


def _character(match: re.Match[str]) -> str:
    try:
        return b"".join(_cp1252(letter) for letter in match.group()).decode()
    except UnicodeDecodeError:
        return match.group()


def _cp1252(letter: str) -> bytes:
    try:
        return letter.encode("cp1252")
    except UnicodeEncodeError:  # the five bytes that cp1252 leaves out pass through as they are
        return letter.encode("latin-1")
