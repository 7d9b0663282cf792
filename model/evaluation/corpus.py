"""What evaluation reads of an examples folder: the held-out scenes, and what was said in training."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from data_prep.schema import QA_PAIRS, TRAIN
from model.errors import ModelError
from model.examples import context_of, read_rows, select
from model.prompt import Turn

COLUMNS = ("episode_id", "scene_id", "speaker", "context", "context_speakers", "answer", "is_target", "split")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A line of the character's, what was said before it (oldest first), and the scene that it stands in."""

    context: tuple[Turn, ...]
    answer: str
    scene: int

    @property
    def question(self) -> str:
        """The line that is answered; "" at the beginning of a scene."""
        return self.context[-1].text if self.context else ""


@dataclass(frozen=True, slots=True)
class Corpus:
    """A show, seen from one character; lines are in the order of the show.

    `exchanges` are the character's held-out lines that answer somebody, `own_lines` and `other_lines` what the
    character and everybody else says in the training episodes, `held_out_others` what everybody else says in the
    held-out ones, and `speakers` the names of all who ever speak.
    """

    exchanges: list[Exchange]
    own_lines: list[str]
    other_lines: list[str]
    held_out_others: list[str]
    speakers: frozenset[str]

    @property
    def training_lines(self) -> list[str]:
        """All that a model may have learned by heart."""
        return self.own_lines + self.other_lines


def read_corpus(folder: Path, split: str, episodes: Collection[str] = ()) -> Corpus:
    """Read an examples folder, of the split perhaps only some episodes.

    ModelError names what cannot be read, or says that there is nobody to answer.
    """
    rows = [row for row in read_rows(folder / QA_PAIRS, COLUMNS) if row["answer"].strip()]
    held_out = select(folder / QA_PAIRS, rows, split, episodes)
    corpus = Corpus(
        exchanges=[exchange for row in held_out if row["is_target"] and (exchange := _exchange(row)).question],
        own_lines=[row["answer"] for row in rows if row["split"] == TRAIN and row["is_target"]],
        other_lines=[row["answer"] for row in rows if row["split"] == TRAIN and not row["is_target"]],
        held_out_others=[row["answer"] for row in held_out if not row["is_target"]],
        speakers=frozenset(row["speaker"] for row in rows),
    )
    if not corpus.exchanges:
        raise ModelError(f"{folder / QA_PAIRS} has no line of the split {split!r} that answers somebody")
    if not corpus.own_lines or not corpus.other_lines:
        raise ModelError(f"{folder / QA_PAIRS} has no training lines of the character and of somebody else")
    return corpus


def _exchange(row: dict[str, Any]) -> Exchange:
    context = context_of(row)
    # What follows the character's own line answers nobody, and a model that serves is never asked for it.
    return Exchange(context if context and not context[-1].is_character else (), row["answer"], row["scene_id"])


def dialogues(exchanges: Iterable[Exchange], turns: int = 6) -> list[list[Exchange]]:
    """A scene's exchanges in runs of at most `turns`, in order; single ones are left out."""
    scenes = (list(scene) for _, scene in groupby(exchanges, key=lambda exchange: exchange.scene))
    runs = (scene[start : start + turns] for scene in scenes for start in range(0, len(scene), turns))
    return [run for run in runs if len(run) > 1]
