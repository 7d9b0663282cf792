"""Where a scene begins and ends: what a window of context never crosses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data_prep.speakers import Cast


def spoken_lines(cast: Cast) -> pd.DataFrame:
    """The spoken lines in the order of the show, with `scene_id` (int64, from 0, unique over the file).

    A scene ends with its episode, where the place changes, at a heading, and where a row was rejected: what was said
    there is unknown, so the next line must not pass for an answer to the one before. Without places and headings an
    episode is one scene. A row that names no place is where the row before it was.
    """
    lines = cast.lines.assign(after_gap=_after_gap(cast.lines["line"], cast.gaps))
    for column in ("place", "location"):
        known = lines[column].where(lines[column] != "")
        lines[column] = known.groupby(lines["episode_id"]).ffill().fillna("")
    begins = lines["heading"] | lines["after_gap"]
    for column in ("episode_id", "place"):
        begins |= lines[column] != lines[column].shift()
    lines["scene_id"] = begins.cumsum()
    spoken = lines[lines["spoken"]].reset_index(drop=True)
    spoken["scene_id"] = pd.factorize(spoken["scene_id"])[0].astype("int64")
    return spoken


def _after_gap(lines: pd.Series, gaps: list[int]) -> np.ndarray:
    """Whether a row was lost between each row and the one before it in the file; `lines` need not be in order."""
    lost_before = np.searchsorted(np.sort(np.array(gaps, dtype=np.int64)), lines.to_numpy())
    order = np.argsort(lines.to_numpy(), kind="stable")
    after = np.zeros(len(lines), dtype=bool)
    after[order[1:]] = np.diff(lost_before[order]) > 0
    return after
