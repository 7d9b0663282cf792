"""The examples folder that data_prep wrote, as training and evaluation read it. Imports nothing heavy."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from data_prep.schema import MANIFEST, QA_PAIRS, TARGET_PAIRS
from model.atomic import read_json
from model.errors import ModelError, first_line
from model.prompt import Turn

Item = TypeVar("Item")
Row = dict[str, Any]
DIALOGUE_COLUMNS = ("speaker", "context", "context_speakers", "answer", "split")  # what a dialogue says


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Lines of a scene, oldest first, and what the character answered.

    `scene` is the number of the scene, if it is known. `learned` are the places in `context` of lines that are to be
    learned as well as the answer; a window as `data_prep` wrote it has none.
    """

    context: tuple[Turn, ...]
    answer: str
    scene: int | None = None
    learned: tuple[int, ...] = ()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an examples folder; ModelError if this is not one."""
    file = folder / MANIFEST
    if not file.exists():
        raise ModelError(
            f"{folder} is no examples folder (it has no {MANIFEST}): make one with "
            f"`python -m data_prep SCRIPT --character NAME --out {folder}`"
        )
    manifest = read_json(file)
    if "character" not in manifest:
        raise ModelError(f"{file} names no character: prepare the script again")
    return manifest


def read_dialogues(folder: Path, split: str, limit: int = 0, episodes: Collection[str] = ()) -> list[Dialogue]:
    """The target character's dialogues of one split, or of these episodes of it; with a limit, so many, evenly spread.

    Raises ModelError that names the file when it cannot be read or holds nothing of this split, or of an episode.
    """
    file = folder / TARGET_PAIRS
    rows = select(file, read_rows(file, (*DIALOGUE_COLUMNS, "scene_id", "episode_id")), split, episodes)
    rows = [row for row in rows if row["answer"].strip()]
    if not rows:
        raise ModelError(f"{file} has no example of the split {split!r}")
    return [Dialogue(context_of(row), row["answer"], row["scene_id"]) for row in spread(rows, limit or len(rows))]


def read_scenes(folder: Path, split: str) -> list[list[Turn]]:
    """All that is said in the episodes of one split, by anybody, scene by scene in the order of the script.

    Raises ModelError that names the file when it cannot be read.
    """
    rows = read_rows(folder / QA_PAIRS, ("speaker", "answer", "is_target", "split", "scene_id"))
    said = [row for row in rows if row["split"] == split and row["answer"].strip()]
    return [
        [Turn(row["speaker"], row["answer"], row["is_target"]) for row in scene]
        for _, scene in groupby(said, key=itemgetter("scene_id"))
    ]


def select(file: Path, rows: Sequence[Row], split: str, episodes: Collection[str] = ()) -> list[Row]:
    """The rows of one split, or of these episodes of it; ModelError names one that `file` has nothing of."""
    rows = [row for row in rows if row["split"] == split]
    held = {str(row["episode_id"]) for row in rows}
    if missing := sorted(set(episodes) - held):
        raise ModelError(
            f"{file} has no episode {missing[0]!r} in the split {split!r}; there are: {', '.join(sorted(held))}"
        )
    return [row for row in rows if not episodes or str(row["episode_id"]) in episodes]


def spread(items: Sequence[Item], number: int) -> list[Item]:
    """So many of the items, evenly spread; all of them if there are no more."""
    number = min(number, len(items))
    return [items[i * len(items) // number] for i in range(number)]


def hash_examples(folder: Path) -> str:
    """SHA-256 of the target's dialogues, the same whichever version of a library wrote them to disk.

    Raises ModelError if the file cannot be read.
    """
    digest = hashlib.sha256()
    for row in read_rows(folder / TARGET_PAIRS, DIALOGUE_COLUMNS):
        digest.update(json.dumps([row[column] for column in DIALOGUE_COLUMNS]).encode())
    return digest.hexdigest()


def read_rows(file: Path, columns: Sequence[str]) -> list[Row]:
    """These columns of a file of pairs, in its order; ModelError names the file, and the column that it lacks."""
    import pyarrow
    import pyarrow.parquet

    try:
        missing = set(columns) - set(pyarrow.parquet.read_schema(file).names)
        table = pyarrow.parquet.read_table(file, columns=[name for name in columns if name not in missing])
    except FileNotFoundError:
        raise ModelError(f"{file} does not exist: prepare the script again") from None
    except (OSError, pyarrow.ArrowException) as error:
        raise ModelError(f"{file} cannot be read: {first_line(error)}") from error
    if missing:
        raise ModelError(f"{file} lacks the column {min(missing)!r}: prepare the script again")
    rows: list[Row] = table.to_pylist()
    return rows


def context_of(row: Row) -> tuple[Turn, ...]:
    """The lines before an answer, oldest first; the character's own are marked."""
    lines = zip(row["context_speakers"], row["context"], strict=True)
    return tuple(Turn(who, text, who == row["speaker"]) for who, text in lines)
