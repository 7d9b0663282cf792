"""What the manifest counts and the charts show, added up from one chunk of lines after another."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data_prep.schema import SPLITS, SplitCounts


@dataclass(slots=True)
class Figures:
    """Plain numbers; an array's index is what its values count: words in a line, spoken lines in a scene.

    `episodes` are everyone's lines in the order of the show, and `own` the target's, by split.
    """

    name: str
    characters: dict[str, int]  # spoken lines, most first
    odd: dict[str, int] = field(default_factory=dict)  # rows by kind
    episodes: list[int] = field(default_factory=list)
    own: dict[str, list[int]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    own_words: list[int] = field(default_factory=list)
    other_words: list[int] = field(default_factory=list)
    scenes: list[int] = field(default_factory=list)
    splits: dict[str, SplitCounts] = field(default_factory=lambda: {split: SplitCounts(0, 0, 0) for split in SPLITS})

    def add(self, lines: pd.DataFrame) -> None:
        """`lines` are whole episodes, spoken, with their split."""
        own = (lines["speaker"] == self.name).to_numpy()
        episode, ids = pd.factorize(lines["episode_id"])
        self.episodes += np.bincount(episode).tolist()
        for split in SPLITS:
            inside = (lines["split"] == split).to_numpy()
            per_episode = np.bincount(episode[inside & own], minlength=len(ids))
            self.own[split] += per_episode.tolist()
            seen = self.splits[split]
            self.splits[split] = SplitCounts(
                episodes=seen.episodes + len(np.unique(episode[inside])),
                qa_pairs=seen.qa_pairs + int(inside.sum()),
                target_pairs=seen.target_pairs + int(per_episode.sum()),
            )
        words = pc.add(pc.count_substring(pa.array(lines["text"]), " "), 1).to_numpy()  # single spaces are between them
        self.own_words = _added(self.own_words, words[own])
        self.other_words = _added(self.other_words, words[~own])
        self.scenes = _added(self.scenes, np.unique(lines["scene_id"], return_counts=True)[1])

    def as_json(self) -> dict[str, Any]:
        """What the charts show."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "splits"}


def _added(counts: list[int], values: NDArray[np.int64]) -> list[int]:
    more = np.bincount(values, minlength=len(counts))
    more[: len(counts)] += np.array(counts, np.int64)
    total: list[int] = more.tolist()
    return total
