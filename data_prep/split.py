"""Training, validation and test: whole episodes, so that no scene and no running joke leaks from one to another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import pandas as pd

from data_prep.schema import SPLITS, TEST, TRAIN, VALIDATION

HELD_OUT = 0.1  # of the target's lines, for validation and for test each
_BLOCKS = 10
EPISODE, SCENE, BLOCK = "episode", "scene", "block"


def split_lines(lines: pd.DataFrame, is_target: pd.Series, seed: int) -> tuple[pd.DataFrame, str]:
    """The spoken lines with a `split` each, and what was kept whole: "episode", "scene" or "block".

    The choice depends on the ids and the seed alone. A character who speaks in fewer than three episodes is split by
    scenes, in fewer than three scenes by tenths of the show; those tenths then end scenes too.
    """
    units, kind = _units(lines, is_target)
    if kind == BLOCK:
        pairs = lines["scene_id"].astype("str") + " " + units.astype("str")
        lines = lines.assign(scene_id=pd.factorize(pairs)[0].astype("int64"))
    targets = is_target.groupby(units).sum()
    others = units[~units.isin(targets.index[targets > 0])].value_counts()
    shares = share_out(_sizes(targets[targets > 0]), seed) | share_out(_sizes(others), seed)
    return lines.assign(split=units.astype("str").map(shares)), kind


def share_out(sizes: Mapping[str, int], seed: int) -> dict[str, str]:
    """A split for each unit: about a tenth of the total size held out twice, nothing empty from three units on."""
    order = sorted(sizes, key=lambda unit: hashlib.sha256(f"{seed}:{unit}".encode()).digest())
    quota = HELD_OUT * sum(sizes.values())
    shares = dict.fromkeys(order, TRAIN)
    for split in (TEST, VALIDATION):
        filled = 0
        for unit in order:
            if shares[unit] == TRAIN and filled + sizes[unit] / 2 <= quota:
                shares[unit] = split
                filled += sizes[unit]
    for split in (TEST, VALIDATION):
        if split not in shares.values() and len(order) >= len(SPLITS):
            shares[min((unit for unit in order if shares[unit] == TRAIN), key=sizes.__getitem__)] = split
    return shares


def _units(lines: pd.DataFrame, is_target: pd.Series) -> tuple[pd.Series, str]:
    for kind, column in ((EPISODE, "episode_id"), (SCENE, "scene_id")):
        if lines.loc[is_target, column].nunique() >= len(SPLITS):
            return lines[column], kind
    tenth = np.arange(len(lines)) * _BLOCKS // max(len(lines), 1)
    return pd.Series(tenth, index=lines.index), BLOCK


def _sizes(counts: pd.Series) -> dict[str, int]:
    return {str(unit): int(count) for unit, count in counts.items()}
