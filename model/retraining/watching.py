"""The steps of a training, told as they are done."""

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from model.retraining.events import Announcer, Counter


class TrainingWatch(TrainerCallback):
    """Tells an announcer each step, with the last loss that was logged."""

    def __init__(self, announcer: Announcer) -> None:
        self._announcer = announcer
        self._loss: float | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._counter = Counter(self._announcer, "train", state.max_steps, state.global_step)
        self._counter.reached(state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        self._loss = (logs or {}).get("loss", self._loss)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._counter.reached(state.global_step, self._loss)
