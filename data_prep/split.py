"""Training, validation and test: whole episodes, so that no scene and no running joke leaks from one to another."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd

from data_prep.schema import SPLITS, TEST, TRAIN, VALIDATION

EPISODE, SCENE, BLOCK = "episode", "scene", "block"
_HELD_OUT = 0.1  # of the target's lines, for validation and for test each
_BLOCKS, _BLOCK_LINES = 10, 50  # at most so many blocks, of at least so many lines: each one's edge ends a scene


def split_lines(lines: pd.DataFrame, is_target: pd.Series, seed: int) -> tuple[pd.DataFrame, str]:
    """The spoken lines with a `split` each, and what was kept whole: "episode", "scene" or "block".

    The choice depends on the ids and the seed alone. A character who speaks in fewer than three episodes is split by
    scenes; in fewer than three scenes by tenths of the show, which then end scenes too. One who speaks too little even
    for that is split by episodes, and some split may have none of the lines.
    """
    units, kind = _units(lines, is_target)
    if kind == BLOCK:
        pairs = lines["scene_id"].astype("str") + " " + units.astype("str")
        lines = lines.assign(scene_id=pd.factorize(pairs)[0].astype("int64"))
    targets = {str(unit): int(count) for unit, count in is_target.groupby(units).sum().items()}
    everyone = {str(unit): int(count) for unit, count in units.value_counts().items()}
    shares = _share_out({unit: count for unit, count in targets.items() if count}, seed)
    shares |= _share_out({unit: count for unit, count in everyone.items() if not targets[unit]}, seed)
    _fill_empty(shares, targets)
    return lines.assign(split=units.astype("str").map(shares)), kind


def _units(lines: pd.DataFrame, is_target: pd.Series) -> tuple[pd.Series, str]:
    blocks = min(_BLOCKS, len(lines) // _BLOCK_LINES)
    block = pd.Series(np.arange(len(lines)) * blocks // max(len(lines), 1), index=lines.index)
    for kind, units in ((EPISODE, lines["episode_id"]), (SCENE, lines["scene_id"]), (BLOCK, block)):
        if units[is_target].nunique() >= len(SPLITS):
            return units, kind
    return lines["episode_id"], EPISODE


def _share_out(sizes: Mapping[str, int], seed: int) -> dict[str, str]:
    """A split for each unit, in an order that a hash of its name decides: about a tenth of the total is held out
    twice. A unit that would overshoot its split by more than half of itself is left to a later one.
    """
    order = sorted(sizes, key=lambda unit: hashlib.sha256(f"{seed}:{unit}".encode()).digest())
    quota = _HELD_OUT * sum(sizes.values())
    shares = dict.fromkeys(order, TRAIN)
    for split in (TEST, VALIDATION):
        filled = 0
        for unit in order:
            if shares[unit] == TRAIN and filled + sizes[unit] / 2 <= quota:
                shares[unit] = split
                filled += sizes[unit]
    _fill_empty(shares, sizes)
    return shares


def _fill_empty(shares: dict[str, str], sizes: Mapping[str, int]) -> None:
    """Gives a split that got nothing the smallest unit of one that has several, of training's first."""
    for split in (TEST, VALIDATION):
        if len(shares) < len(SPLITS) or split in shares.values():
            continue
        units = Counter(shares.values())
        spare = [unit for unit in shares if units[shares[unit]] > 1]
        shares[min(spare, key=lambda unit: (shares[unit] != TRAIN, sizes[unit]))] = split
