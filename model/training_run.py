"""A training run on disk, from its first step until its result is in the store.

<store>/<persona>/.runs/<time>/
    run.json        settings, where the base lies, what the examples were: enough to go on
    checkpoints/    the trainer's
    version/        what the store gets: adapter/ or weights/, persona.toml, tokenizer.json, metrics.jsonl,
                    sources.jsonl.gz, ...
"""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from model.atomic import write_json
from model.errors import ModelError
from model.examples import hash_examples
from model.persona import FILE_NAME, Persona, read_persona, write_persona
from model.sources import training_lines, write_sources
from model.store import SOURCES
from model.training_settings import TrainingSettings

RUNS_FOLDER = ".runs"
RUN_FILE = "run.json"
TRAINING_FILE = "training.json"
CHECKPOINT_STATE = "trainer_state.json"


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One run: its folder, settings and the SHA-256 of the examples that it began with."""

    folder: Path
    settings: TrainingSettings
    examples_sha256: str

    @classmethod
    def begin(cls, store: Path, settings: TrainingSettings, persona: Persona) -> "TrainingRun":
        """Make a new run in the store."""
        return cls.begin_in(store / settings.persona / RUNS_FOLDER / new_name(), settings, persona)

    @classmethod
    def begin_in(cls, folder: Path, settings: TrainingSettings, persona: Persona) -> "TrainingRun":
        """Make a new run in a folder of its own; the file that it is known by is written last.

        The card is kept with it: examples must look the same after a resume.
        """
        lines = training_lines(settings.examples)
        run = cls(folder, settings, hash_examples(settings.examples))
        run.version_folder.mkdir(parents=True)
        write_persona(persona, run.version_folder / FILE_NAME)
        write_sources(lines, run.version_folder / SOURCES)
        write_json(run.folder / RUN_FILE, {"settings": settings.as_json(), "examples_sha256": run.examples_sha256})
        return run

    @classmethod
    def unfinished(cls, store: Path, persona: str) -> "TrainingRun":
        """The last run of a persona that did not finish; see `read`. ModelError if there is none."""
        files = sorted((store / persona / RUNS_FOLDER).glob(f"*/{RUN_FILE}"))
        if not files:
            raise ModelError(f"--resume: {store} holds no unfinished training of {persona!r}")
        return cls.read(files[-1].parent)

    @classmethod
    def read(cls, folder: Path) -> "TrainingRun":
        """The unfinished run in a folder; ModelError if it is damaged, or if its examples are not what they were."""
        file = folder / RUN_FILE
        try:
            state = json.loads(file.read_text(encoding="utf-8"))
            run = cls(folder, TrainingSettings.from_json(state["settings"]), state["examples_sha256"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{file} cannot be read: {error}") from error
        if hash_examples(run.settings.examples) != run.examples_sha256:
            raise ModelError(f"--resume: {run.settings.examples} has changed since the run began; start a new one")
        return run

    @property
    def persona(self) -> Persona:
        """The persona card that the run began with."""
        return read_persona(self.version_folder / FILE_NAME)

    @property
    def is_trained(self) -> bool:
        """Whether the training has come to its end (the record of it is written last)."""
        return (self.version_folder / TRAINING_FILE).is_file()

    @property
    def checkpoints(self) -> Path:
        """Folder of the trainer's checkpoints."""
        return self.folder / "checkpoints"

    @property
    def version_folder(self) -> Path:
        """Folder of what the store gets."""
        return self.folder / "version"

    def last_checkpoint(self) -> Path | None:
        """The latest checkpoint that was written to its end (the trainer writes its state last); None without."""
        whole = [folder for folder in self.checkpoints.glob("checkpoint-*") if _has_state(folder)]
        return max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)

    def remove(self) -> None:
        """Delete the run: its result is in the store, or nothing came of it."""
        shutil.rmtree(self.folder)


def new_name() -> str:
    """The name of a run that begins now; names sort by time."""
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")


def _has_state(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / CHECKPOINT_STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
