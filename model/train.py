"""Fine-tune a base on a character's examples and put the result into the store.

Heavy libraries are imported where they are used, so that --help is instant.
"""

import argparse
import math
import platform
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version as library_version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from model.atomic import read_json, write_json
from model.errors import ModelError
from model.store import DEFAULT_STORE, Store
from model.training_settings import TrainingSettings, add_setting_options, given_settings, option_name, settings_from

if TYPE_CHECKING:
    from transformers import PreTrainedModel, TrainerCallback

    from model.dataset import AnswerExamples
    from model.examples import Dialogue
    from model.persona import Persona
    from model.processes import Processes
    from model.prompt import Example, Prompt
    from model.trainer import AnswerTrainer
    from model.training_run import TrainingRun

INTERRUPTED = 130  # what a shell expects of a program that Ctrl-C ended
RECORDED_LIBRARIES = ("torch", "transformers", "peft", "accelerate", "tokenizers")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `train`: one for each setting, and where to work."""
    add_setting_options(parser)
    parser.add_argument(
        "--store", type=Path, default=DEFAULT_STORE, metavar="DIR", help="model store (default: %(default)s)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the persona's last unfinished run, with its settings"
    )


def main(args: argparse.Namespace) -> int:
    """Train and hand the result to the store. 0 when done, 130 when interrupted; ModelError for a user's mistake.

    Of several processes the first does so; the others train along with it.
    """
    from model.processes import joined_processes

    with joined_processes() as processes:
        return _lead(args, processes) if processes.is_first else _follow(processes)


def _lead(args: argparse.Namespace, processes: "Processes") -> int:
    try:
        run, material = _start(args)
    except BaseException:
        processes.share(None)  # or the others would wait for ever
        raise
    processes.share(str(run.folder))
    try:
        if material is None or fine_tune(run, material, processes=processes):
            _store(args.store, run)
            return 0
    except KeyboardInterrupt:  # the second Ctrl-C, or one while it is stored: what is on the disk must do
        pass
    except OSError:
        print(_how_to_resume(args.store, run.settings), file=sys.stderr)
        raise
    print(_how_to_resume(args.store, run.settings), file=sys.stderr)
    return INTERRUPTED


def _follow(processes: "Processes") -> int:
    """Train along. 0 whatever comes of it: how it ended is for the first process to say."""
    from model.training_run import TrainingRun

    folder = processes.share(None)
    run = TrainingRun.read(Path(folder)) if folder else None
    if run is not None and not run.is_trained:
        try:
            fine_tune(run, load_material(run.settings, run.persona, progress=False), processes=processes)
        except KeyboardInterrupt:  # alone it cannot stop in good order: whoever launched it ends the others
            return INTERRUPTED
    return 0


def _start(args: argparse.Namespace) -> "tuple[TrainingRun, Material | None]":
    """A new run or the one to resume, and what it learns; None if it has learned that already."""
    from model.training_run import TrainingRun

    given = given_settings(args)
    if args.resume:
        run = _unfinished_run(args.store, given)
        return run, None if run.is_trained else load_material(run.settings, run.persona)
    settings = _with_full_paths(settings_from(given))
    if args.store.exists() and not args.store.is_dir():
        raise ModelError(f"--store: {args.store} is no folder")
    material = load_material(settings)
    return TrainingRun.begin(args.store, settings, material.persona), material


def _store(store: Path, run: "TrainingRun") -> None:
    version = Store(store).add(run.settings.persona, run.version_folder)
    run.remove()
    print(f"{run.settings.persona}: {version.name} is live, in {version.folder}")


@dataclass(frozen=True, slots=True)
class Material:
    """What training starts from. `model` is the base as it is, in float32; `lessons` of `train` are no script's."""

    manifest: dict[str, Any]
    base: Path
    persona: "Persona"
    train: "AnswerExamples"
    validation: "AnswerExamples"
    model: "PreTrainedModel"
    lessons: int = 0


def load_material(
    settings: TrainingSettings,
    persona: "Persona | None" = None,
    lessons: "Sequence[Dialogue]" = (),
    progress: bool = True,
) -> Material:
    """Read and tokenise the examples, then load the base; ModelError names what is missing.

    Without a persona, the card is the one that the settings name, or a plain one for the character's name. Lessons are
    learned besides the examples.
    """
    from model.dataset import AnswerExamples
    from model.engines.transformers import load_model
    from model.examples import read_dialogues, read_manifest
    from model.graphs import check_exportable
    from model.passages import join_windows
    from model.prompt import Prompt
    from model.zoo import base_folder

    manifest = read_manifest(settings.examples)
    train = read_dialogues(settings.examples, "train", settings.limit)
    validation = read_dialogues(settings.examples, "validation", settings.validation_limit)
    persona = persona or _new_persona(settings, str(manifest["character"]))
    base = base_folder(settings.base)
    check_exportable(read_json(base / "config.json"))  # what could not be served is not worth hours of training
    prompt = Prompt.from_folder(base, persona.card)
    length = settings.max_length
    passages = join_windows(train, lambda joined: prompt.fits(joined.context, joined.answer, length))
    around = _lines_around(settings, prompt, len(train)) if settings.learn == "everyone" else []
    return Material(
        manifest,
        base,
        persona,
        AnswerExamples(
            [*passages, *lessons], prompt, length, settings.context_dropout, settings.seed, progress, around
        ),
        AnswerExamples(validation, prompt, length, progress=progress),
        load_model(base),
        len(lessons),
    )


def _lines_around(settings: TrainingSettings, prompt: "Prompt", answers: int) -> "list[Example]":
    """Where the character speaks, what everyone says: as large a share of it as there are `answers` of all of them."""
    from model.examples import read_scenes, spread

    scenes = read_scenes(settings.examples, "train")
    stretches = [example for scene in scenes for example in prompt.encode_scene(scene, settings.max_length)]
    spoken = sum(line.is_character for scene in scenes for line in scene)
    return spread(stretches, math.ceil(len(stretches) * answers / spoken))


def fine_tune(
    run: "TrainingRun",
    material: Material,
    watcher: "TrainerCallback | None" = None,
    processes: "Processes | None" = None,
) -> bool:
    """Train from the run's last checkpoint, or from the start; leaves the result in the run's version folder.

    The watcher takes the place of the progress bar. False if Ctrl-C came first: then a checkpoint holds everything up
    to the last step, or, if that was the very last, the version folder holds the result.
    """
    from model.engines.transformers import quiet
    from model.metrics import MetricsLog, ProgressBar
    from model.processes import Processes
    from model.trainer import AnswerTrainer, Interruption, with_adapter

    processes = processes or Processes()
    checkpoint = run.last_checkpoint()
    with quiet(), Interruption(processes) as interruption:
        model = with_adapter(material.model, run.settings) if run.settings.method == "lora" else material.model
        reports = [watcher or ProgressBar(), MetricsLog(run.version_folder)] if processes.is_first else []
        trainer = AnswerTrainer(
            model,
            run.settings,
            run.checkpoints,
            material.train,
            material.validation,
            [*reports, interruption],
            processes,
        )
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if processes.is_first and not interruption.ended_training:
            _save_version(run, material, trainer)
        return not interruption.was_asked_for


def _save_version(run: "TrainingRun", material: Material, trainer: "AnswerTrainer") -> None:
    from model.training_run import TRAINING_FILE

    folder, model = run.version_folder, cast("PreTrainedModel", trainer.model)
    if run.settings.method == "lora":
        model.save_pretrained(folder / "adapter", save_embedding_layers=False)
        (folder / "adapter" / "README.md").unlink(missing_ok=True)  # a form that nobody has filled in
    else:
        model.save_pretrained(folder / "weights")
        shutil.copyfile(material.base / "tokenizer.json", folder / "weights" / "tokenizer.json")
    shutil.copyfile(material.base / "tokenizer.json", folder / "tokenizer.json")
    write_json(folder / TRAINING_FILE, _training_record(run, material, trainer))


def _training_record(run: "TrainingRun", material: Material, trainer: "AnswerTrainer") -> dict[str, Any]:
    """How the version was made: what its manifest says of training."""
    from model.metrics import METRICS_FILE, read_metrics

    settings, state = run.settings, trainer.state
    last = read_metrics(run.version_folder / METRICS_FILE)[-1]
    return {
        "run": run.folder.name,
        "base": settings.base,
        "method": settings.method,
        "settings": settings.as_json() | _paths_to_publish(settings),
        "data": {
            "character": material.manifest["character"],
            "source": material.manifest.get("source"),
            "examples_sha256": run.examples_sha256,
            "train": material.train.answers,
            "lessons": material.lessons,
            "validation": material.validation.answers,
        },
        "training": {
            "steps": state.global_step,
            "epochs": state.epoch,
            "seconds": last["seconds"],
            "tokens": state.num_input_tokens_seen,
            "best_validation_loss": state.best_metric,
            "best_step": state.best_global_step,
            "stopped_early": state.global_step < state.max_steps,
            "device": trainer.args.device.type,
            "processes": trainer.args.world_size,
            "bfloat16": trainer.args.bf16,
        },
        "versions": {"python": platform.python_version()}
        | {library: library_version(library) for library in RECORDED_LIBRARIES},
    }


def _paths_to_publish(settings: TrainingSettings) -> dict[str, str | None]:
    """Paths as short as they can be while they still lead there from this folder."""
    here = Path.cwd()
    paths = {"examples": settings.examples, "card": settings.card}
    return {
        name: None if path is None else str(path.relative_to(here) if path.is_relative_to(here) else path)
        for name, path in paths.items()
    }


def _new_persona(settings: TrainingSettings, character: str) -> "Persona":
    from model.persona import Persona, read_persona

    if settings.card is not None:
        return replace(read_persona(settings.card), id=settings.persona, base=settings.base)
    card = (
        f"You are {character}. Stay in character: answer as {character} would, "
        "in one to three short sentences, without describing actions."
    )
    return Persona(settings.persona, character, card=card, base=settings.base)


def _unfinished_run(store: Path, given: Mapping[str, Any]) -> "TrainingRun":
    from model.training_run import TrainingRun

    if "persona" not in given:
        raise ModelError("--persona is required: whose training is to be resumed?")
    run = TrainingRun.unfinished(store, given["persona"])
    refuse_changes(run, given)
    return run


def refuse_changes(run: "TrainingRun", given: Mapping[str, Any]) -> None:
    """ModelError names the first of the given settings that is not what the run began with."""
    was = run.settings.as_json()
    now = _with_full_paths(replace(run.settings, **given)).as_json()
    for name in given:
        if was[name] != now[name]:
            raise ModelError(f"{option_name(name)}: the run to resume has {was[name]}; leave the option out")


def _with_full_paths(settings: TrainingSettings) -> TrainingSettings:
    """A run may be resumed from another folder, and the store must find a local base again."""
    base = str(Path(settings.base).resolve()) if Path(settings.base).is_dir() else settings.base
    card = settings.card.resolve() if settings.card else None
    return replace(settings, examples=settings.examples.resolve(), card=card, base=base)


def _how_to_resume(store: Path, settings: TrainingSettings) -> str:
    command = f"python -m model train --persona {settings.persona} --resume"
    if store != DEFAULT_STORE:
        command += f" --store {shlex.quote(str(store))}"
    return f"stopped; go on with: {command}"
