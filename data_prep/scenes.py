"""Where a scene begins and ends: what a window of context never crosses."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def spoken_lines(lines: pd.DataFrame, after_gaps: NDArray[np.int64], first_scene: int = 0) -> pd.DataFrame:
    """The spoken ones of a chunk of Cast.chunks, with `scene_id` (int64, ascending from `first_scene`).

    A scene ends with its episode, where the place changes, at a heading, and where a row was rejected: what was said
    there is unknown, so the next line must not pass for an answer to the one before. Without places and headings an
    episode is one scene. A row that names no place is where the row before it was. `after_gaps` are the lines of the
    file that follow on a rejected row.
    """
    lines = lines.copy(deep=False)
    for column in ("place", "location"):
        known = lines[column].where(lines[column] != "")
        lines[column] = known.groupby(lines["episode_id"]).ffill().fillna("")
    begins = lines["heading"] | np.isin(lines["line"], after_gaps)
    for column in ("episode_id", "place"):
        begins |= lines[column] != lines[column].shift()
    lines["scene_id"] = begins.cumsum()
    spoken = lines[lines["spoken"]].reset_index(drop=True)
    spoken["scene_id"] = pd.factorize(spoken["scene_id"])[0].astype("int64") + first_scene
    return spoken
