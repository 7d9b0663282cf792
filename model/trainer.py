"""transformers' Trainer, set up for a character: LoRA or full, the answers' loss, resumable at any step.

Knows nothing of the store or of the command line.
"""

import math
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.pytorch_utils import Conv1D

from model.dataset import AnswerExamples, LengthBuckets, collate
from model.evaluation.likelihood import answer_logits, score_answers, total
from model.processes import Processes, computes_on_cpu
from model.training_settings import TrainingSettings

VALIDATIONS = 8
ONE_PRESS = 1.0  # seconds: Ctrl-C reaches a process of several twice, from the terminal and from what launched it


class AnswerTrainer(Trainer):
    """Trains on `AnswerExamples` in length-bucketed batches; the validation loss is exact to the token."""

    def __init__(
        self,
        model: torch.nn.Module,
        settings: TrainingSettings,
        checkpoints: Path,
        train: AnswerExamples,
        validation: AnswerExamples,
        callbacks: Sequence[TrainerCallback],
        processes: Processes | None = None,
    ) -> None:
        self._processes = together = processes or Processes()
        # Each process takes its part of a batch of all: they need like times, and together see what one would see.
        self._order = LengthBuckets(train, settings.batch_size * together.count, settings.seed)
        self._validation = [validation[i] for i in range(together.number, len(validation), together.count)]
        super().__init__(
            model=model,
            args=training_arguments(settings, checkpoints, len(train), together.count),
            train_dataset=train,
            eval_dataset=validation,
            callbacks=[_EpochOrder(self._order), *_early_stopping(settings), *callbacks],
        )
        self.remove_callback(PrinterCallback)

    def get_train_dataloader(self) -> "DataLoader[Any]":
        """Batches in the order of `LengthBuckets`."""
        loader: DataLoader[Any] = DataLoader(
            self.train_dataset,  # type: ignore[arg-type]
            batch_size=self.args.train_batch_size,
            sampler=self._order,
            collate_fn=collate,
        )
        prepared: DataLoader[Any] = self.accelerator.prepare(loader)
        return prepared

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Cross-entropy in nats, a mean over the answer tokens of the whole optimiser step.

        The Trainer's own would read the persona card with every example.
        """
        targets = inputs["shift_labels"]
        nats = cross_entropy(answer_logits(model, inputs).float(), targets, reduction="sum")
        tokens = len(targets) if num_items_in_batch is None else num_items_in_batch  # of all processes together
        return nats * self.accelerator.num_processes / tokens

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: list[str] | None = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Mean loss of an answer token over the validation examples, in nats.

        The Trainer's own is a mean over batches, which weighs the tokens of short answers more. Each process scores its
        share of the examples.
        """
        score = total(score_answers(self.model, self._validation, self.args.eval_batch_size))  # type: ignore[arg-type]
        nats, tokens = self._processes.sum([score.nats, score.tokens])
        metrics = {f"{metric_key_prefix}_loss": nats / tokens}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def training_arguments(
    settings: TrainingSettings, checkpoints: Path, examples: int, processes: int = 1
) -> TrainingArguments:
    """The Trainer's arguments for so many training examples on this machine, in so many processes."""
    validate_every = settings.eval_every or math.ceil(total_steps(settings, examples, processes) / VALIDATIONS)
    return TrainingArguments(
        output_dir=str(checkpoints.resolve()),  # it notes the best checkpoint by this path
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=2 * settings.batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation,
        learning_rate=settings.peak_learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup,  # a float below 1 is a share of all steps
        logging_steps=settings.log_every,
        eval_strategy="steps",
        eval_steps=validate_every,
        save_strategy="steps",
        save_steps=validate_every,
        save_total_limit=2,  # the best and the last
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        restore_callback_states_from_checkpoint=True,
        include_num_input_tokens_seen="non_padding",
        remove_unused_columns=False,
        label_names=["labels"],
        use_cpu=computes_on_cpu(),
        bf16=has_fast_bfloat16(),
        # A step reads the shared prefix and the rest in two passes: what is between them has to be left alone.
        ddp_find_unused_parameters=False,
        ddp_broadcast_buffers=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        seed=settings.seed,
        disable_tqdm=True,
        log_level="error",
        report_to="none",
    )


def total_steps(settings: TrainingSettings, examples: int, processes: int = 1) -> int:
    """Optimiser steps of the whole run."""
    batches = math.ceil(examples / (settings.batch_size * processes))
    return settings.max_steps or math.ceil(settings.epochs * math.ceil(batches / settings.gradient_accumulation))


def has_fast_bfloat16() -> bool:
    """Whether this machine computes in bfloat16 natively; where it is emulated, float32 is faster."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if torch.backends.mps.is_available():
        return False
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def with_adapter(model: PreTrainedModel, settings: TrainingSettings) -> torch.nn.Module:
    """The model with a fresh LoRA adapter on every linear layer but the head; only the adapter learns."""
    from peft import LoraConfig, get_peft_model

    from model.lora import quicken

    set_seed(settings.seed)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),  # GPT-2 stores (in, out)
    )
    adapted = get_peft_model(model, config)
    quicken(adapted)
    # A path of this machine has no place in an adapter, and with a name peft would look for it on the hub.
    adapted.peft_config["default"].base_model_name_or_path = ""
    return adapted


class _EpochOrder(TrainerCallback):
    """Tells the order which epoch begins: where several processes resume one, the trainer's word does not reach it."""

    def __init__(self, order: LengthBuckets) -> None:
        self._order = order

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._order.set_epoch(int(state.epoch or 0))


class Interruption(TrainerCallback):
    """As a context: Ctrl-C ends training after the step in hand, with a checkpoint. A second one ends it at once.

    All processes of a training end after the same step, whichever was told to.
    """

    def __init__(self, processes: Processes | None = None) -> None:
        self._processes = processes or Processes()
        self._asked: float | None = None
        self.ended_training = False

    def __enter__(self) -> "Interruption":
        self._previous = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._previous)

    @property
    def was_asked_for(self) -> bool:
        """Whether somebody has pressed Ctrl-C, be it too late to end the training before its own end."""
        return self._processes.any(self._asked is not None)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._asked is not None and now - self._asked > ONE_PRESS:
            raise KeyboardInterrupt
        self._asked = self._asked or now

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if not control.should_training_stop and self.was_asked_for:
            self.ended_training = True
            control.should_log = control.should_save = control.should_training_stop = True


def _early_stopping(settings: TrainingSettings) -> list[TrainerCallback]:
    return [EarlyStoppingCallback(settings.patience)] if settings.patience else []
