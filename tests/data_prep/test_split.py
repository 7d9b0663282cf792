from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from data_prep.split import plan_split


def show(target_lines: Sequence[int], others: int = 10, scenes: int = 4) -> pd.DataFrame:
    """A show of so many lines by the target in each episode, and `others` by somebody else."""
    parts = []
    for episode, own in enumerate(target_lines, 1):
        speakers = ["Somebody"] * others + ["Target"] * own
        order = np.random.default_rng(episode).permutation(len(speakers))
        part = pd.DataFrame({"episode_id": episode, "speaker": [speakers[index] for index in order]})
        parts.append(part.assign(scene_id=(episode - 1) * scenes + np.arange(len(part)) * scenes // max(len(part), 1)))
    return pd.concat(parts, ignore_index=True)


def split(lines: pd.DataFrame, seed: int = 0) -> tuple[pd.DataFrame, str]:
    plan = plan_split([lines], "Target", seed)
    (divided,) = plan.split([lines])
    return divided, plan.kind


def shares(lines: pd.DataFrame) -> dict[str, float]:
    own = lines[lines["speaker"] == "Target"]
    return {str(name): float(share) for name, share in own["split"].value_counts(normalize=True).items()}


@pytest.mark.parametrize("seed", range(5))
def test_about_a_tenth_of_the_targets_lines_is_held_out_twice(seed: int) -> None:
    sizes = [5 + (index * 37) % 60 for index in range(60)]
    lines, kind = split(show(sizes), seed)
    assert kind == "episode"
    assert shares(lines) == pytest.approx({"train": 0.8, "validation": 0.1, "test": 0.1}, abs=0.025)


def test_an_episode_is_never_divided() -> None:
    lines, _ = split(show([20] * 12))
    assert (lines.groupby("episode_id")["split"].nunique() == 1).all()


def test_the_split_is_a_matter_of_ids_and_seed_alone() -> None:
    lines = show([10, 30, 20, 40, 10, 20, 30, 15, 25, 35, 5, 5])
    once, _ = split(lines)
    again, _ = split(lines.iloc[::-1])
    other, _ = split(lines, seed=1)
    assert once["split"].equals(again["split"].sort_index())
    assert not once["split"].equals(other["split"])


@pytest.mark.parametrize("sizes", [[1, 1, 1], [500, 1, 1], [300, 200, 400], [9] * 4, [0, 0, 3, 3, 3], [0, 0, 0, 4]])
def test_no_split_is_empty_from_three_episodes_on(sizes: list[int]) -> None:
    lines, _ = split(show(sizes))
    assert set(lines["split"]) == {"train", "validation", "test"}
    assert "train" in shares(lines)


def test_a_character_of_two_episodes_is_split_by_scenes() -> None:
    lines, kind = split(show([40, 40], scenes=10))
    assert kind == "scene"
    assert (lines.groupby("scene_id")["split"].nunique() == 1).all()
    assert set(shares(lines)) == {"train", "validation", "test"}


def test_a_show_of_one_scene_is_split_by_tenths_which_end_scenes() -> None:
    lines, kind = split(show([400], others=600, scenes=1))
    assert kind == "block"
    assert lines["scene_id"].nunique() == 10
    assert (lines.groupby("scene_id")["split"].nunique() == 1).all()
    assert set(shares(lines)) == {"train", "validation", "test"}


def test_a_few_lines_are_all_for_training() -> None:
    lines, _ = split(show([6], scenes=1))
    assert shares(lines) == {"train": 1.0}
    assert lines["scene_id"].nunique() == 1
