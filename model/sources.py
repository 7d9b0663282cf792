"""The lines that a version was trained on, and which of them an answer is like.

A version carries them in `sources.jsonl.gz`: a JSON object for each line that is spoken in the training episodes, by
whomever, in the order of the show. Reading it needs nothing that serving does not have; where the lines come from, the
examples folder, is read with pyarrow.
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from data_prep.schema import QA_PAIRS, TRAIN
from model.errors import ModelError, first_line
from model.examples import read_rows
from model.likeness import LineIndex, WordRuns
from model.sentences import words
from model.store import Store

NEAREST = 3
COLUMNS = ("scene_id", "episode_id", "location", "speaker", "answer", "is_target", "split")


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """A line of the script. `own` says that the character speaks; `episode` and `place` are as the script has them."""

    speaker: str
    text: str
    episode: str
    place: str
    scene: int
    own: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A line with the one before it in its scene, which it answers; None where the line opens the scene."""

    line: ScriptLine
    before: ScriptLine | None


@dataclass(frozen=True, slots=True)
class Trace:
    """Up to three lines that an answer may come from, most alike first.

    `copied` says that it has eight words in a row of the first one, `whole` that it has the same words as that one
    from beginning to end, be they few.
    """

    sources: list[Source]
    copied: bool
    whole: bool


class Sources:
    """The lines of the training episodes, in the order of the show, made ready to look an answer up in them."""

    def __init__(self, lines: Sequence[ScriptLine]) -> None:
        sources = _with_line_before(lines)
        # The character's own come first, so that what others say with the same words is not taken for the origin.
        self._sources = sorted(sources, key=lambda source: not source.line.own)
        self._runs = WordRuns(source.line.text for source in self._sources)
        self._own = _unlike(source for source in sources if source.line.own)
        self._index = LineIndex([source.line.text for source in self._own])

    def trace(self, answer: str) -> Trace:
        """The line that an answer copies, whoever says it, and the character's lines that are most like the answer."""
        nearest = [self._own[number] for number, _cosine in self._index.nearest(answer, NEAREST)]
        copied = self._runs.find(answer)
        if copied is not None:
            origin = self._sources[copied]
            nearest = [origin, *(source for source in nearest if source.line.text != origin.line.text)][:NEAREST]
        whole = any(words(source.line.text) == words(answer) for source in nearest[:1])
        return Trace(nearest, copied is not None, whole)


def load_sources(persona: str, store: Path, version: str) -> Sources | None:
    """What a version was trained on; None if the version is gone, or older than this file of its.

    ModelError if the file cannot be read. Takes a moment: not for an event loop.
    """
    versions = Store(store)
    if version not in versions.names(persona):
        return None
    file = versions.get(persona, version).sources
    return Sources(read_sources(file)) if file else None


def training_lines(examples: Path) -> list[ScriptLine]:
    """All lines of the training episodes in an examples folder; ModelError if it cannot be read."""
    rows = read_rows(examples / QA_PAIRS, COLUMNS)
    return [
        ScriptLine(
            speaker=row["speaker"],
            text=row["answer"],
            episode=str(row["episode_id"]),
            place=row["location"],
            scene=row["scene_id"],
            own=row["is_target"],
        )
        for row in rows
        if row["split"] == TRAIN and row["answer"].strip()
    ]


def write_sources(lines: Iterable[ScriptLine], file: Path) -> None:
    """Write lines to a file that `read_sources` reads; the same lines give the same bytes."""
    text = "".join(json.dumps(asdict(line), ensure_ascii=False) + "\n" for line in lines)
    file.write_bytes(gzip.compress(text.encode(), mtime=0))


def read_sources(file: Path) -> list[ScriptLine]:
    """The lines in a file of sources; ModelError if it is damaged."""
    try:
        text = gzip.decompress(file.read_bytes()).decode()
        return [ScriptLine(**json.loads(line)) for line in text.split("\n") if line]
    except (OSError, EOFError, zlib.error, ValueError, TypeError) as error:
        raise ModelError(f"{file} cannot be read: {first_line(error)}") from error


def _with_line_before(lines: Sequence[ScriptLine]) -> list[Source]:
    before = [None, *lines]
    return [
        Source(line, earlier if earlier and earlier.scene == line.scene else None)
        for earlier, line in zip(before, lines, strict=False)
    ]


def _unlike(sources: Iterable[Source]) -> list[Source]:
    """The first of each with the same words: three times the same line would explain no more than one."""
    unlike: dict[tuple[str, ...], Source] = {}
    for source in sources:
        unlike.setdefault(tuple(words(source.line.text)), source)
    return list(unlike.values())
