"""Training, validation and test: whole episodes, so that no scene and no running joke leaks from one to another."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_prep.schema import SPLITS, TEST, TRAIN, VALIDATION

EPISODE, SCENE, BLOCK = "episode", "scene", "block"
_HELD_OUT = 0.1  # of the target's lines, for validation and for test each
_BLOCKS, _BLOCK_LINES = 10, 50  # at most so many blocks, of at least so many lines: each one's edge ends a scene

Sizes = dict[Any, tuple[int, int]]  # by episode, scene or block: everyone's lines, and the target's


@dataclass(frozen=True, slots=True)
class Plan:
    """`kind` is what is kept whole, `shares` the split of each; `blocks` cut the `lines` of the show evenly."""

    kind: str
    shares: Mapping[Any, str]
    lines: int
    blocks: int

    def split(self, chunks: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """The chunks in their order with a `split` for each line; where blocks are kept whole, they end scenes too."""
        before, scenes = 0, 0
        for lines in chunks:
            units = self._units(lines, before)
            if self.kind == BLOCK:
                scene = lines["scene_id"].to_numpy()
                begins = (np.diff(scene, prepend=-1) != 0) | (np.diff(units, prepend=-1) != 0)
                lines = lines.assign(scene_id=scenes + np.cumsum(begins) - 1)
                scenes += int(begins.sum())
            before += len(lines)
            codes, keys = pd.factorize(units)
            yield lines.assign(split=pd.Series([self.shares[key] for key in keys], dtype="str").take(codes).array)

    def _units(self, lines: pd.DataFrame, before: int) -> Any:
        if self.kind == BLOCK:
            return _blocks(len(lines), before, self.lines, self.blocks)
        return lines["episode_id" if self.kind == EPISODE else "scene_id"]


def plan_split(chunks: Iterable[pd.DataFrame], name: str, seed: int) -> Plan:
    """Decides for spoken lines, which are gone through up to three times.

    The choice depends on the ids and the seed alone. A character who speaks in fewer than three episodes is split by
    scenes; in fewer than three scenes by tenths of the show, which then end scenes too. One who speaks too little even
    for that is split by episodes, and some split may have none of the lines.
    """
    episodes = _sizes((lines["episode_id"], lines["speaker"] == name) for lines in chunks)
    total = sum(lines for lines, _ in episodes.values())
    blocks = min(_BLOCKS, total // _BLOCK_LINES)
    kind, sizes = EPISODE, episodes
    if _too_few(sizes):
        kind, sizes = SCENE, _sizes((lines["scene_id"], lines["speaker"] == name) for lines in chunks)
    if _too_few(sizes):
        kind, sizes = BLOCK, _sizes(_in_blocks(chunks, name, total, blocks))
    if _too_few(sizes):
        kind, sizes = EPISODE, episodes
    return Plan(kind, _shares(sizes, seed), total, blocks)


def _too_few(sizes: Sizes) -> bool:
    return sum(own > 0 for _, own in sizes.values()) < len(SPLITS)


def _in_blocks(chunks: Iterable[pd.DataFrame], name: str, total: int, blocks: int) -> Iterator[tuple[Any, pd.Series]]:
    before = 0
    for lines in chunks:
        yield _blocks(len(lines), before, total, blocks), lines["speaker"] == name
        before += len(lines)


def _blocks(count: int, before: int, total: int, blocks: int) -> NDArray[np.int64]:
    return np.arange(before, before + count) * blocks // max(total, 1)


def _sizes(parts: Iterable[tuple[Any, pd.Series]]) -> Sizes:
    sizes: Sizes = {}
    for units, own in parts:
        codes, keys = pd.factorize(units)
        counts = np.bincount(codes, minlength=len(keys)), np.bincount(codes[own], minlength=len(keys))
        for key, every, target in zip(keys.tolist(), *map(np.ndarray.tolist, counts), strict=True):
            before = sizes.get(key, (0, 0))  # a block may go on in the next chunk
            sizes[key] = before[0] + every, before[1] + target
    return sizes


def _shares(sizes: Sizes, seed: int) -> dict[Any, str]:
    targets = {str(unit): own for unit, (_, own) in sizes.items()}
    shares = _share_out({unit: count for unit, count in targets.items() if count}, seed)
    shares |= _share_out({str(unit): every for unit, (every, own) in sizes.items() if not own}, seed)
    _fill_empty(shares, targets)
    return {unit: shares[str(unit)] for unit in sizes}


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
