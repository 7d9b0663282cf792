"""What a training tells about itself: one JSON object a line on the output of `python -m model retrain --json`.

Lines that are none of these are passed over: the trainer and the bot may be of different days.
"""

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError


class Event(BaseModel):
    """Anything that is told."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")


class Started(Event):
    """A training has begun, or goes on, under this name. `live` is whom the new version will be compared with."""

    run: str
    persona: str
    live: str | None


class Progress(Event):
    """How far it is: `done` of `total` steps of a stage; `seconds_left` of all of it, where that is known."""

    stage: Literal["prepare", "train", "evaluate"]
    done: int
    total: int
    seconds_left: float | None = None
    loss: float | None = None


class Measure(Event):
    """One figure of the old and of the new version, and whether the new one is good enough in it."""

    name: str
    old: float
    new: float
    better: Literal["lower", "higher"]
    tolerance: float
    ok: bool


class Verdict(Event):
    """How the new version compares. `live`: it is the live one already; `reasons` say why, or why not."""

    version: str
    live: bool
    compared_with: str
    measures: tuple[Measure, ...]
    reasons: tuple[str, ...]
    picture: Path


KINDS: dict[str, type[Event]] = {"started": Started, "progress": Progress, "verdict": Verdict}


def read_event(line: bytes) -> Event | None:
    """The event in a line; None if there is none."""
    try:
        told = json.loads(line)
        return KINDS[told["event"]].model_validate(told)
    except (ValueError, TypeError, KeyError, RecursionError, ValidationError):
        return None
