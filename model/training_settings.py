"""The settings of a training run: one dataclass, from which the command line is derived."""

import argparse
from collections.abc import Collection, Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from model.errors import ModelError
from model.persona import check_identifier

DEFAULT_LEARNING_RATES = {"lora": 6e-4, "full": 5e-5}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """Everything that decides how a run turns out; two runs with equal settings on one machine give equal losses.

    Raises ModelError that names the option when a value is out of its range.
    """

    examples: Path = field(metadata={"help": "folder that data_prep wrote"})
    persona: str = field(metadata={"help": "id of the character in the model store"})
    base: str = field(
        default="smollm2-135m",
        metadata={"help": "model to start from: a name of the zoo, a hub name or a local folder"},
    )
    method: Literal["lora", "full"] = field(
        default="lora", metadata={"help": "train a low-rank adapter (Hu et al. 2021) or every weight"}
    )
    card: Path | None = field(
        default=None,
        metadata={"help": "persona card to use, a TOML file (default: one made from the character's name)"},
    )
    epochs: float = field(default=1.0, metadata={"help": "passes over the training examples"})
    max_steps: int = field(default=0, metadata={"help": "stop after so many optimiser steps; 0: after the epochs"})
    limit: int = field(
        default=0, metadata={"help": "use only so many training examples, spread evenly over the episodes; 0: all"}
    )
    validation_limit: int = field(
        default=256, metadata={"help": "measure validation loss on so many examples, spread evenly; 0: all"}
    )
    learning_rate: float | None = field(
        default=None, metadata={"help": "peak learning rate (default: 6e-4 for lora, 5e-5 for full)"}
    )
    schedule: Literal["cosine", "linear"] = field(
        default="cosine", metadata={"help": "how the learning rate falls to 0 after the warm-up"}
    )
    warmup: float = field(default=0.05, metadata={"help": "share of the steps in which the learning rate rises"})
    batch_size: int = field(default=8, metadata={"help": "examples that go through the model at once, in each process"})
    gradient_accumulation: int = field(default=1, metadata={"help": "batches to an optimiser step"})
    rank: int = field(default=16, metadata={"help": "lora: rank of the update of each weight matrix"})
    alpha: int = field(default=32, metadata={"help": "lora: the update is scaled by alpha / rank"})
    dropout: float = field(
        default=0.0, metadata={"help": "lora: dropout in front of the adapter; costs speed on a CPU"}
    )
    max_length: int = field(
        default=384, metadata={"help": "longest example in tokens, persona card included; older lines go first"}
    )
    context_dropout: float = field(
        default=0.5,
        metadata={"help": "chance that an example loses oldest lines of its context, never the line that is answered"},
    )
    learn: Literal["character", "everyone"] = field(
        default="character",
        metadata={"help": "the character's answers alone, or in each pass everyone's lines around them beforehand"},
    )
    log_every: int = field(default=5, metadata={"help": "steps between two records of the training loss"})
    eval_every: int = field(
        default=0, metadata={"help": "steps between two validations, each with a checkpoint; 0: eight in all"}
    )
    patience: int = field(
        default=3, metadata={"help": "validations without a better loss before training stops early; 0: never"}
    )
    seed: int = field(
        default=0, metadata={"help": "seed of the adapter's first weights, the order of examples and every dropout"}
    )

    def __post_init__(self) -> None:
        check_identifier(self.persona)
        ranges: dict[str, tuple[bool, str]] = {
            "epochs": (0 < self.epochs <= 1000, "above 0 and at most 1000"),
            "learning_rate": (self.learning_rate is None or self.learning_rate > 0, "above 0"),
            "warmup": (0 <= self.warmup < 1, "at least 0 and below 1"),
            "dropout": (0 <= self.dropout < 1, "at least 0 and below 1"),
            "context_dropout": (0 <= self.context_dropout <= 1, "between 0 and 1"),
            "max_length": (self.max_length >= 16, "at least 16"),
            "seed": (0 <= self.seed < 2**32, "0 to 4294967295"),
        }
        ranges |= {name: (getattr(self, name) >= 0, "0 or more") for name in _COUNTS}
        ranges |= {name: (getattr(self, name) >= 1, "at least 1") for name in _POSITIVE_COUNTS}
        for name, (valid, wanted) in ranges.items():
            if not valid:
                raise ModelError(f"{option_name(name)} is {getattr(self, name)}, but must be {wanted}")

    @property
    def peak_learning_rate(self) -> float:
        """The learning rate asked for, or the method's default."""
        return self.learning_rate or DEFAULT_LEARNING_RATES[self.method]

    def as_json(self) -> dict[str, Any]:
        """The settings as JSON values; paths become strings."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TrainingSettings":
        """The inverse of `as_json`."""
        paths = {name: Path(values[name]) for name in ("examples", "card") if values[name] is not None}
        return cls(**{**values, **paths})


_COUNTS = ("max_steps", "limit", "validation_limit", "eval_every", "patience")
_POSITIVE_COUNTS = ("batch_size", "gradient_accumulation", "rank", "alpha", "log_every")


def option_name(name: str) -> str:
    """`batch_size` -> `--batch-size`."""
    return "--" + name.replace("_", "-")


def add_setting_options(
    parser: argparse.ArgumentParser, without: Collection[str] = (), default: str | None = None
) -> None:
    """One option per setting, but for those `without`, with `default` told in place of the defaults here.

    What is not given stays out of the namespace: a resumed run needs to know.
    """
    hints = get_type_hints(TrainingSettings)
    for setting in fields(TrainingSettings):
        if setting.name not in without:
            parser.add_argument(
                option_name(setting.name),
                default=argparse.SUPPRESS,
                help=_help_text(setting, default),
                **_value_type(hints[setting.name]),
            )


def given_settings(args: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given on the command line."""
    return {setting.name: getattr(args, setting.name) for setting in fields(TrainingSettings) if setting.name in args}


def settings_from(given: Mapping[str, Any]) -> TrainingSettings:
    """Settings from those given and the defaults; ModelError names a required option that is missing."""
    for setting in fields(TrainingSettings):
        if setting.default is MISSING and setting.name not in given:
            raise ModelError(f"{option_name(setting.name)} is required: {setting.metadata['help']}")
    return TrainingSettings(**given)


def _help_text(setting: "Field[Any]", default: str | None) -> str:
    text = str(setting.metadata["help"])
    if default is not None:
        return f"{text.partition(' (default:')[0]} (default: {default})"
    return text if setting.default in (MISSING, None) else f"{text} (default: {setting.default})"


def _value_type(hint: Any) -> dict[str, Any]:
    if get_origin(hint) is Literal:
        return {"choices": get_args(hint)}
    if isinstance(hint, UnionType):
        hint = next(kind for kind in get_args(hint) if kind is not type(None))
    return {"type": hint, "metavar": {Path: "PATH", int: "N", float: "X", str: "NAME"}[hint]}
