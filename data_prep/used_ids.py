"""Which ids a file has used so far, in little memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ids = NDArray[np.int64]


class UsedIds:
    """Ids as runs of consecutive numbers: a script that numbers its rows needs one, however long it is."""

    def __init__(self) -> None:
        self._starts: Ids = np.empty(0, np.int64)
        self._ends: Ids = np.empty(0, np.int64)

    def use(self, ids: Ids) -> NDArray[np.bool_]:
        """For each id whether it was used before, in an earlier call or further up in this one."""
        run = np.searchsorted(self._starts, ids, side="right") - 1
        before = run >= 0
        before[before] = ids[before] <= self._ends[run[before]]
        again: NDArray[np.bool_] = before | pd.Series(ids).duplicated().to_numpy()
        self._add(np.unique(ids))
        return again

    def _add(self, ids: Ids) -> None:
        edges = np.flatnonzero(np.diff(ids) != 1)
        starts = np.concatenate([self._starts, ids[:1], ids[edges + 1]])
        ends = np.concatenate([self._ends, ids[edges], ids[-1:]])
        order = np.argsort(starts, kind="stable")
        starts, ends = starts[order], np.maximum.accumulate(ends[order])
        first = np.concatenate([[True], starts[1:] > ends[:-1] + 1])[: len(starts)]
        self._starts, self._ends = starts[first], ends[np.append(first[1:], True)[: len(ends)]]
