"""Where a retraining works: its folder in the store, the lock on the store, the space on the disk, and cleaning up.

<store>/
    .retrain.lock                 held while a retraining runs
    <persona>/.retrains/<name>/   a training run (see `model.training_run`) with the lessons that it learns; known by
                                  its run.json, which is written last: without it nothing had begun
    <persona>/.examples/<name>/   what data_prep made of a script: kept as long as a version was trained on it
"""

import math
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model.atomic import read_json
from model.errors import ModelError
from model.store import Store, Version
from model.training_run import RUN_FILE, RUNS_FOLDER, TrainingRun
from model.training_settings import TrainingSettings

LOCK = ".retrain.lock"
RETRAINS = ".retrains"
EXAMPLES = ".examples"
LESSONS = "lessons.jsonl"
ABANDONED = 3600.0  # seconds: nothing that is being written rests for so long

CHECKPOINTS = 3  # the best, the last, and the one that is being written
PER_CHECKPOINT = 3  # what is learned, and AdamW's two moments of it
SPARE = 100 * 2**20  # examples, figures, a database that grows meanwhile


class Workplace:
    """A persona's part of the store, as far as retraining makes use of it."""

    def __init__(self, store: Path, persona: str) -> None:
        self._folder = store / persona
        self._store = Store(store)
        self._persona = persona

    def run_folder(self, name: str) -> Path:
        """Where the retraining of this name works."""
        return self._folder / RETRAINS / name

    def examples_folder(self, name: str) -> Path:
        """Where the examples go that are made for it."""
        return (self._folder / EXAMPLES / name).resolve()

    def unfinished(self) -> Path | None:
        """Folder of the last retraining that did not come to a verdict."""
        files = sorted((self._folder / RETRAINS).glob(f"*/{RUN_FILE}"))
        return files[-1].parent if files else None

    def discard(self, name: str) -> None:
        """Remove a retraining that did not begin, with the examples that were made for it."""
        shutil.rmtree(self.run_folder(name), ignore_errors=True)
        shutil.rmtree(self.examples_folder(name), ignore_errors=True)

    def version_of(self, run: TrainingRun) -> Version | None:
        """What the store has already taken of a run."""
        for name in reversed(self._store.names(self._persona)):
            try:
                version = self._store.get(self._persona, name)
            except ModelError:  # damaged, so not this one
                continue
            if version.manifest.get("run") == run.folder.name:
                return version
        return None

    def clean(self, run: TrainingRun | None = None) -> None:
        """Remove what killed processes left behind, other retrainings than this run, and examples that nobody needs.

        Only the holder of the lock may do so. What others may be writing just now (a version that is being added)
        is left alone.
        """
        kept = self._examples_in_use()
        for folder in (self._folder / RETRAINS).glob("*"):
            if run is None or folder.name != run.folder.name:
                shutil.rmtree(folder, ignore_errors=True)
        for folder in (self._folder / EXAMPLES).glob("*"):
            if folder.resolve() not in kept and (run is None or folder.resolve() != run.settings.examples):
                shutil.rmtree(folder, ignore_errors=True)
        for scratch in self._folder.glob(".*-*"):
            if scratch.is_dir() and scratch.stat().st_mtime < time.time() - ABANDONED:
                shutil.rmtree(scratch, ignore_errors=True)

    def _examples_in_use(self) -> set[Path]:
        """Examples folders that versions name, or unfinished trainings that are no retrainings."""
        records = [*self._folder.glob("[!.]*/manifest.json"), *self._folder.glob(f"{RUNS_FOLDER}/*/{RUN_FILE}")]
        return {Path(named).resolve() for record in records if (named := _examples_named_in(record))}


def _examples_named_in(record: Path) -> str | None:
    try:
        named = read_json(record).get("settings", {}).get("examples")
    except ModelError:
        return None
    return named if isinstance(named, str) else None


@contextmanager
def one_at_a_time(store: Path) -> Iterator[None]:
    """Hold the store's lock; ModelError if another process does. The system frees it when its holder dies."""
    from filelock import FileLock, Timeout

    store.mkdir(parents=True, exist_ok=True)
    lock = FileLock(store / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise ModelError(f"another retraining is at work in {store}; one at a time") from None
    try:
        yield
    finally:
        lock.release()


def space_needed(live: Version, base: Path, settings: TrainingSettings) -> int:
    """Bytes that a retraining writes into the store at most: checkpoints, the new version and what serves it."""
    served = sum(file.stat().st_size for file in live.engine_folder.rglob("*") if file.is_file())
    return served + _learned_bytes(base, settings) * (1 + CHECKPOINTS * PER_CHECKPOINT) + SPARE


def check_space(store: Path, needed: int) -> None:
    """ModelError if the disk of the store has less free space than that."""
    free = shutil.disk_usage(store).free
    if free < needed:
        raise ModelError(
            f"{store} has {free / 2**30:.1f} GiB of free space, but retraining needs {needed / 2**30:.1f} GiB there"
        )


def _learned_bytes(base: Path, settings: TrainingSettings) -> int:
    """Size of what training changes, in float32. An adapter's embeddings are counted in: rather too much."""
    from model.weights import tensor_shapes

    shapes = tensor_shapes(base)
    if settings.method == "full":
        return 4 * sum(math.prod(shape) for shape in shapes)
    return 4 * settings.rank * sum(sum(shape) for shape in shapes if len(shape) == 2)
