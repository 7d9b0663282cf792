"""What a training run reports while it goes: metrics.jsonl, loss.png and a progress bar."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from model.atomic import new_file, write_text

Record = dict[str, Any]

METRICS_FILE = "metrics.jsonl"
LOSS_FILE = "loss.png"
SECONDS_BETWEEN_DRAWINGS = 10.0


def read_metrics(file: Path, last_step: int | None = None) -> list[Record]:
    """The records of a metrics file up to `last_step`; [] without a file.

    A line that a killed process left unfinished ends it.
    """
    records: list[Record] = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        try:
            records.append(json.loads(line))
        except ValueError:
            break
    return [record for record in records if last_step is None or record["step"] <= last_step]


class MetricsLog(TrainerCallback):
    """Writes each record to metrics.jsonl the moment it is known, and redraws loss.png every few seconds.

    A record holds `step`, `epoch`, `seconds` (of this run so far, interruptions left out), `tokens` (read so far,
    without padding and what a batch shares), and either `train_loss` (mean since the record before),
    `learning_rate` and `tokens_per_second` (in training steps), or `validation_loss`. Losses are in nats per answer
    token.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / METRICS_FILE
        self._drawing = folder / LOSS_FILE
        self._meter = SpeedMeter()
        self._drawn = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Go on after the checkpoint: what an interrupted run wrote beyond it will come again."""
        self._records = read_metrics(self._file, state.global_step)
        write_text(self._file, "".join(_as_line(record) for record in self._records))
        before = self._records[-1]["seconds"] if self._records else 0.0
        self._started = time.monotonic() - before
        self._meter.restart(state.num_input_tokens_seen)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._meter.start_step()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._meter.end_step()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        values = self._values(logs or {}, state)
        if not values:
            return
        record = {
            "step": state.global_step,
            "epoch": round(state.epoch or 0.0, 4),
            "seconds": round(time.monotonic() - self._started, 1),
            "tokens": state.num_input_tokens_seen,
            **values,
        }
        self._records.append(record)
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(_as_line(record))
        if "validation_loss" in record or time.monotonic() - self._drawn > SECONDS_BETWEEN_DRAWINGS:
            self._draw()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._draw()

    def _values(self, logs: dict[str, float], state: TrainerState) -> Record:
        if "eval_loss" in logs:
            return {"validation_loss": logs["eval_loss"]}
        if "loss" not in logs:
            return {}
        speed = self._meter.tokens_per_second(state.num_input_tokens_seen)
        return {
            "train_loss": logs["loss"],
            "learning_rate": logs["learning_rate"],
            "tokens_per_second": round(speed, 1),
        }

    def _draw(self) -> None:
        draw_loss(self._records, self._drawing)
        self._drawn = time.monotonic()


class SpeedMeter:
    """Tokens per second of training steps alone: validation, checkpoints and drawing do not count."""

    def __init__(self) -> None:
        self.restart(0)

    def restart(self, tokens: int) -> None:
        """Begin a new measurement when so many tokens have been read."""
        self._tokens = tokens
        self._seconds = 0.0

    def start_step(self) -> None:
        """The clock goes on."""
        self._started = time.monotonic()

    def end_step(self) -> None:
        """The clock stops."""
        self._seconds += time.monotonic() - self._started

    def tokens_per_second(self, tokens: int) -> float:
        """The speed since the last call, which begins a new measurement; 0 if no time has passed."""
        speed = (tokens - self._tokens) / self._seconds if self._seconds else 0.0
        self.restart(tokens)
        return speed


class ProgressBar(TrainerCallback):
    """One bar on standard error: steps, time left, tokens per second, losses."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._figures: dict[str, str] = {}
        self._meter = SpeedMeter()
        self._meter.restart(state.num_input_tokens_seen)
        self._bar = tqdm(
            total=state.max_steps, initial=state.global_step, desc="training", unit="step", file=sys.stderr
        )

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._meter.start_step()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._meter.end_step()
        self._figures["tokens/s"] = f"{self._meter.tokens_per_second(state.num_input_tokens_seen):.0f}"
        self._bar.set_postfix(self._figures, refresh=False)
        self._bar.update(state.global_step - self._bar.n)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        for key, name in (("loss", "loss"), ("eval_loss", "validation")):
            if logs and key in logs:
                self._figures[name] = f"{logs[key]:.3f}"
        self._bar.set_postfix(self._figures)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._bar.close()


def draw_loss(records: Sequence[Record], file: Path) -> None:
    """Draw training and validation loss over the steps as a PNG; the file is replaced at one stroke."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel="step", ylabel="loss (nats per answer token)")
    for name, label, style in (("train_loss", "training", "-"), ("validation_loss", "validation", "o-")):
        points = [(record["step"], record[name]) for record in records if name in record]
        axes.plot([step for step, _ in points], [loss for _, loss in points], style, label=label)
    axes.grid(alpha=0.3)
    axes.legend()
    with new_file(file) as scratch:
        figure.savefig(scratch, format="png", dpi=100)


def _as_line(record: Record) -> str:
    return json.dumps(record) + "\n"
