"""Training: the loss falls, runs are reproducible, and a run that was broken off goes on as if nothing had been."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model.__main__ import main
from model.metrics import read_metrics
from model.training_run import TrainingRun

QUICK = ["--batch-size", "8", "--learning-rate", "5e-3", "--log-every", "1", "--validation-limit", "8"]
Train = Callable[..., Path]


@pytest.fixture
def train(examples_folder: Path, gpt2_base: Path, tmp_path: Path) -> Train:
    """Runs `python -m model train` in this process; gives the folder of the version that came of it."""

    def run(*options: str, store: str = "store", base: Path = gpt2_base) -> Path:
        command = ["train", "--examples", str(examples_folder), "--persona", "dwight", "--base", str(base)]
        assert main([*command, "--store", str(tmp_path / store), *QUICK, *options]) == 0
        versions = sorted((tmp_path / store / "dwight").glob("v*"))
        return versions[-1]

    return run


def losses(version: Path, name: str) -> list[float]:
    return [record[name] for record in read_metrics(version / "metrics.jsonl") if name in record]


def test_the_loss_clearly_falls(either_base: Path, train: Train) -> None:
    version = train("--epochs", "4", base=either_base)
    validation = losses(version, "validation_loss")
    assert validation[-1] < 0.7 * validation[0]
