"""What training gains over a plain loop: python -m benchmarks.training [--steps N] [--learn ANSWERS] [--out FILE]

The plain loop is what a tutorial writes: transformers and peft, every window an example of its own with the persona
card in it, random batches padded to the longest, logits for all tokens, in float32 and under bfloat16 autocast; the
quicker of the two is the yardstick. Ours is the trainer of `python -m model train`. Both learn the answers of the demo
script's Lisa, with the same adapter, optimiser, learning rates and number of answers a step (a passage of ours holds
several, so fewer passages), in turns within one run. What counts is answers learned a second; tokens a second are told
twice: those that a plain loop reads for as many answers, and those that go through the model, padding included.

`--learn` then trains both on the same answers, for two seeds each, and compares the loss on lines that neither has
seen; ours also on windows as they are, which tells apart what is due to the trainer and what to the passages.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from benchmarks.plain_loop import PlainLoop, Step
from model.dataset import AnswerExamples, LengthBuckets, collate
from model.engines.transformers import quiet
from model.evaluation.likelihood import score_answers, total
from model.examples import read_dialogues
from model.passages import join_windows
from model.prompt import Example, Prompt
from model.train import Material, load_material
from model.trainer import AnswerTrainer, has_fast_bfloat16, with_adapter
from model.training_settings import TrainingSettings

SCRIPT = Path("data_prep/demo/springfield_script_lines.csv")
CARD = Path("model/personas/lisa/persona.toml")
WARM_UP = 1  # steps that are not counted
NEVER = 10**6
SEEDS = (0, 1)
NAMES = {"float32": "plain loop, float32", "bfloat16": "plain loop, bfloat16", "ours": "ours"}


class Turns(TrainerCallback):
    """After each step of ours, one of every plain loop; while they run, our clock stands still.

    Where bfloat16 is emulated, its loop makes one step only: that takes a minute or more.
    """

    def __init__(self, batches: Sequence[Sequence[Example]], others: dict[str, PlainLoop]) -> None:
        self._batches = batches
        self._others = others
        self.steps: dict[str, list[Step]] = {name: [] for name in ("ours", *others)}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._resumed = time.perf_counter()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        seconds = time.perf_counter() - self._resumed
        examples = self._batches[state.global_step - 1]
        batch = collate(examples)
        answers = sum(len(example.learned) for example in examples)
        tokens = len(batch["prefix_ids"]) + batch["input_ids"].numel()
        self.steps["ours"].append(Step(answers, tokens, seconds))
        for name, loop in self._others.items():
            if name == "float32" or has_fast_bfloat16() or not self.steps[name]:
                self.steps[name].append(loop.step())
        self._resumed = time.perf_counter()


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--steps", type=int, default=10, help="steps of each to time (default: %(default)s)")
    parser.add_argument("--learn", type=int, default=0, metavar="ANSWERS", help="compare losses after so many; 0: not")
    parser.add_argument("--learning-rate", type=float, default=6e-4)
    parser.add_argument("--out", type=Path, help="write the figures there as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, quiet():
        command = [sys.executable, "-m", "data_prep", str(SCRIPT), "--character", "Lisa Simpson"]
        subprocess.run([*command, "--out", f"{scratch}/lisa"], check=True, stdout=subprocess.DEVNULL)
        settings = TrainingSettings(
            examples=Path(scratch, "lisa"),
            persona="lisa",
            card=CARD,
            base=options.base,
            learning_rate=options.learning_rate,
            context_dropout=0.0,  # or ours would read less
            validation_limit=128,
            eval_every=NEVER,
            patience=0,
            log_every=NEVER,
        )
        figures: dict[str, Any] = {"base": options.base, "threads": torch.get_num_threads()}
        figures["speed"] = compare_speed(replace(settings, max_steps=options.steps + WARM_UP), Path(scratch))
        if options.learn:
            figures["loss"] = [
                compare_losses(replace(settings, seed=seed), options.learn, Path(scratch)) for seed in SEEDS
            ]
            print_losses(figures["loss"])
    if options.out:
        options.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def compare_speed(settings: TrainingSettings, scratch: Path) -> dict[str, Any]:
    """Medians over the steps, printed as a table and returned by name."""
    material, windows = prepare(settings)
    loops = {
        name: PlainLoop(with_adapter(load_material(settings, progress=False).model, settings), windows, settings, dtype)
        for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16))
    }
    ours = with_as_many_answers(settings, material.train)
    turns = Turns(batches_of(material.train, ours), loops)
    train(material, ours, scratch / "speed", turns)
    mean_length = float(windows.lengths.mean())
    rows = {name: rates(steps[WARM_UP:] or steps, mean_length) for name, steps in turns.steps.items()}
    yardstick = max(rows["float32"]["answers_per_second"], rows["bfloat16"]["answers_per_second"])
    print(f"{'':22} answers/s  tokens/s as a plain loop reads  tokens/s computed  times the yardstick")
    for name in NAMES:
        row = rows[name]
        row["ratio"] = row["answers_per_second"] / yardstick
        print(
            f"{NAMES[name]:22} {row['answers_per_second']:9.2f} {row['plain_tokens_per_second']:30.0f} "
            f"{row['computed_tokens_per_second']:18.0f} {row['ratio']:20.2f}"
        )
    return rows


def rates(steps: Sequence[Step], mean_length: float) -> dict[str, float]:
    """Medians over the steps; `mean_length` is that of a plain loop's example, in tokens."""
    answers = statistics.median(step.answers / step.seconds for step in steps)
    return {
        "answers_per_second": answers,
        "plain_tokens_per_second": answers * mean_length,
        "computed_tokens_per_second": statistics.median(step.tokens / step.seconds for step in steps),
        "seconds_per_step": statistics.median(step.seconds for step in steps),
    }


def compare_losses(settings: TrainingSettings, answers: int, scratch: Path) -> dict[str, float]:
    """Loss in nats per answer token on validation lines, before and after both have learned the same answers once."""
    material, windows = prepare(settings, answers)
    ours = with_as_many_answers(settings, material.train)
    # A passage may hold more answers than a batch of windows; then the plain loop's batches are as large.
    plainly = replace(settings, batch_size=round(ours.batch_size * material.train.answers / len(material.train)))
    losses = {"seed": float(settings.seed), "before": validation_loss(material.model, material)}
    plain = with_adapter(load_material(settings, progress=False).model, settings)
    PlainLoop(plain, windows, plainly, torch.float32).epoch()
    losses["plain"] = validation_loss(plain, material)
    for name, examples, as_set in (("windows", windows, plainly), ("ours", material.train, ours)):
        learned = replace(load_material(settings, progress=False), train=examples)
        trainer = train(learned, as_set, scratch / f"{name}-{settings.seed}")
        losses[name] = validation_loss(trainer.model, material)
    return losses


def validation_loss(model: Any, material: Material) -> float:
    """Mean over the answer tokens of the validation lines, in nats."""
    score = total(score_answers(model, material.validation))
    return score.nats / score.tokens


def print_losses(rows: Sequence[dict[str, float]]) -> None:
    """A line for each seed."""
    for row in rows:
        print(
            f"seed {row['seed']:.0f}: validation loss {row['before']:.3f} before, "
            f"{row['plain']:.3f} after the plain loop, {row['windows']:.3f} after ours on the same windows, "
            f"{row['ours']:.3f} on passages"
        )


def prepare(settings: TrainingSettings, answers: int | None = None) -> tuple[Material, AnswerExamples]:
    """The first so many answers, or all: as our trainer learns them, and as a plain loop does."""
    material = load_material(settings, progress=False)
    prompt = Prompt.from_folder(material.base, material.persona.card)
    dialogues = read_dialogues(settings.examples, "train")[:answers]
    length = settings.max_length
    passages = join_windows(dialogues, lambda joined: prompt.fits(joined.context, joined.answer, length))
    windows = AnswerExamples(dialogues, prompt, length)
    return replace(material, train=AnswerExamples(passages, prompt, length)), windows


def train(material: Material, settings: TrainingSettings, folder: Path, *callbacks: TrainerCallback) -> AnswerTrainer:
    """Our training of a fresh adapter."""
    model = with_adapter(material.model, settings)
    trainer = AnswerTrainer(model, settings, folder, material.train, material.validation, callbacks)
    trainer.train()
    return trainer


def with_as_many_answers(settings: TrainingSettings, passages: AnswerExamples) -> TrainingSettings:
    """The settings for passages, such that a batch of them holds as many answers as one of windows."""
    return replace(settings, batch_size=max(1, round(settings.batch_size * len(passages) / passages.answers)))


def batches_of(examples: AnswerExamples, settings: TrainingSettings) -> list[list[Example]]:
    """The batches of our first epoch, in order."""
    order = list(LengthBuckets(examples, settings.batch_size, settings.seed))
    starts = range(0, len(order), settings.batch_size)
    return [[examples[i] for i in order[start : start + settings.batch_size]] for start in starts]


if __name__ == "__main__":
    main()
