"""Text put right: one space between words, and letters that had been decoded wrongly before they were saved."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# UTF-8 that was once read as cp1252 and saved again: "Ã©" for "é", "â€™" for an apostrophe.
_CP1252_TAIL = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_MOJIBAKE = re.compile(f"\u00c2[\u00a0-\u00bf]|[\u00c3-\u00df][{_CP1252_TAIL}]|[\u00e0-\u00ef][{_CP1252_TAIL}]{{2}}")
_COLUMNS = ("raw_text", "spoken_words", "character", "location")
_SPACES = b"\t\n\r\f\v"


def mend_text(rows: Any) -> tuple[Any, int]:
    """An Arrow table of rows with its text mended, and in how many of them letters had been decoded wrongly."""
    mended = np.zeros(len(rows), dtype=bool)
    for index, name in enumerate(rows.column_names):
        if name in _COLUMNS:
            cells = rows[name].combine_chunks()
            odd, garbled = _odd(cells)
            mended |= garbled
            if odd.any():
                texts = [mended_text(text) for text in cells.filter(pa.array(odd)).to_pylist()]
                cells = pc.replace_with_mask(cells, pa.array(odd), pa.array(texts, cells.type))
                rows = rows.set_column(index, name, cells)
    return rows, int(mended.sum())


def _odd(cells: Any) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which cells are not plain words with single spaces, and which were decoded wrongly."""
    wide = ~_mask(pc.string_is_ascii(cells))
    garbled = wide.copy()
    garbled[wide] = _mask(pc.match_substring_regex(cells.filter(pa.array(wide)), _MOJIBAKE.pattern))
    loose = _mask(pc.match_substring(cells, "  "))
    text = cells.buffers()[2].to_pybytes() if len(cells) and cells.buffers()[2] else b""
    if any(space in text for space in _SPACES):
        loose |= _mask(pc.match_substring_regex(cells, r"[\t\n\r\f\v]"))
    return wide | loose, garbled


def mended_text(text: str) -> str:
    return " ".join(_MOJIBAKE.sub(_character, text).split())


def _mask(found: Any) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = np.array(found, dtype=bool)
    return mask


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
